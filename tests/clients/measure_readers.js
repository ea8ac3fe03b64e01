// Processor time of the validator, besides frames, while WebSockets are told of every
// state of sessions that play.
import { PublicKey } from "@solana/web3.js";
import WebSocket from "ws";
import { processorTime, processorTimeSince, readMetrics, sleep } from "./measurement.js";
import { until } from "./validator.js";
import { WORLD } from "./world.js";

const SESSIONS = 16;
const STATE_BYTES = 256; // of a SessionState account

// Subscribes a new WebSocket to accounts; counts what it is told.
async function openReader(url, keys, counts) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  socket.on("message", () => counts.told++);
  keys.forEach((key, id) =>
    socket.send(
      JSON.stringify({
        jsonrpc: "2.0",
        id,
        method: "accountSubscribe",
        params: [key, { encoding: "base64", commitment: "processed" }],
      }),
    ),
  );
  return socket;
}

const frameSeconds = (metrics) => metrics.get("erx_frame_seconds_sum") ?? 0;

async function measureFor(validator, name, seconds, readers, counts) {
  await sleep(500);
  const frames = frameSeconds(await readMetrics(validator.url));
  const before = processorTime(validator.pid);
  const begin = performance.now();
  counts.told = 0;
  await sleep(seconds * 1000);
  const took = (performance.now() - begin) / 1000;
  const used = processorTimeSince(before, validator.pid);
  const model = frameSeconds(await readMetrics(validator.url)) - frames;
  const share = (ns) => ((ns / 1e9 / took) * 100).toFixed(2);
  const threads = used.threads.filter(([, ns]) => ns > 0);
  console.log(
    `${name}: ${readers} readers, ${Math.round(counts.told / took)} notifications a second, ` +
      `${share(used.all - model * 1e9)} % of a processor besides frames ` +
      `(frames ${share(model * 1e9)} %; ` +
      `${threads.map(([thread, ns]) => `${thread} ${share(ns)}`).join(", ")})`,
  );
}

export async function measureReaders({ start, connect, seconds }) {
  const validator = await start([`bots=${SESSIONS}`]);
  const connection = connect(validator, "processed");
  const sessions = async () =>
    await connection.getProgramAccounts(new PublicKey(WORLD), {
      filters: [{ dataSize: STATE_BYTES }],
    });
  await until("the sessions play", async () => (await sessions()).length >= SESSIONS);
  const keys = (await sessions()).map(({ pubkey }) => pubkey.toBase58()).slice(0, SESSIONS);
  const counts = { told: 0 };
  await measureFor(validator, "nobody watches", seconds / 3, 0, counts);
  const readers = [];
  for (const key of keys) readers.push(await openReader(validator.socketUrl, [key], counts));
  await measureFor(validator, "each watches one session", seconds / 3, readers.length, counts);
  readers.splice(0).forEach((socket) => socket.terminate());
  for (const _ of keys) readers.push(await openReader(validator.socketUrl, keys, counts));
  await measureFor(validator, "each watches all sessions", seconds / 3, readers.length, counts);
  readers.forEach((socket) => socket.terminate());
  await validator.stop();
}
