// How late ticks are while sessions play, for as long as is asked for.
import { readMetrics, sleep } from "./measurement.js";

const SESSIONS = 32;
const NAME = "erx_frame_lateness_seconds";

// The upper bounds of a histogram and how many values lie in each.
function readHistogram(metrics) {
  const buckets = [...metrics]
    .map(([name, count]) => [name.match(/_bucket\{le="([^"]+)"\}$/)?.[1], count, name])
    .filter(([bound, , name]) => bound !== undefined && name.startsWith(NAME))
    .map(([bound, count]) => ({ bound: Number(bound.replace("+Inf", "Infinity")), count }));
  return buckets.map(({ bound, count }, i) => ({
    bound,
    count: count - (buckets[i - 1]?.count ?? 0),
  }));
}

// A bound of that share of all values, in microseconds.
function quantileBound(buckets, share) {
  let left = buckets.reduce((sum, { count }) => sum + count, 0) * share;
  for (const { bound, count } of buckets) {
    left -= count;
    if (left <= 0) return (bound * 1e6).toFixed(0);
  }
  return "none";
}

export async function measureCrank({ startAnywhere, seconds }) {
  const validator = await startAnywhere([`bots=${SESSIONS}`]);
  await sleep(seconds * 1000);
  const metrics = await readMetrics(validator.url);
  const buckets = readHistogram(metrics);
  const bounds = [0.5, 0.9, 0.99, 0.999, 1].map((share) => quantileBound(buckets, share));
  console.log(
    `${SESSIONS} sessions: ${metrics.get("erx_ticks_total")} ticks, ` +
      `${metrics.get("erx_ticks_missed_total")} missed, late by less than ` +
      `${bounds[0]} us p50, ${bounds[1]} p90, ${bounds[2]} p99, ${bounds[3]} p99.9, ` +
      `${bounds[4]} at most`,
  );
  await validator.stop();
}
