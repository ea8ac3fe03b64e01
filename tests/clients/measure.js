// What the validator costs and how late it is, as clients on this machine see it:
// prints figures, passes no judgement.
//
//   usage: measure.js ERX MODEL transactions|latency|readers|crank [SECONDS]
//
// The validator gets processor 0 and the clients the others, where there are more; for
// crank, which has no clients, it runs wherever the system lets it.
import { Connection } from "@solana/web3.js";
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { measureCrank } from "./measure_crank.js";
import { measureLatency } from "./measure_latency.js";
import { measureReaders } from "./measure_readers.js";
import { measureTransactions } from "./measure_transactions.js";
import { startValidator } from "./validator.js";

const MEASUREMENTS = {
  transactions: { run: measureTransactions, seconds: 8 },
  latency: { run: measureLatency, seconds: 20 },
  readers: { run: measureReaders, seconds: 20 },
  crank: { run: measureCrank, seconds: 600 },
};

// Starts a validator on processor 0; this process leaves it alone.
async function startPinned(erx, model, settings) {
  const count = cpus().length;
  if (count < 2) return await startValidator(erx, model, settings);
  execFileSync("taskset", ["-a", "-p", "-c", `1-${count - 1}`, `${process.pid}`]);
  return await startValidator(erx, model, settings, ["taskset", "-c", "0"]);
}

async function main([erx, model, name, seconds]) {
  const measurement = MEASUREMENTS[name];
  if (measurement === undefined) {
    console.error("usage: measure.js ERX MODEL transactions|latency|readers|crank [SECONDS]");
    process.exit(2);
  }
  await measurement.run({
    seconds: Number(seconds ?? measurement.seconds),
    start: (settings) => startPinned(erx, model, settings),
    startAnywhere: (settings) => startValidator(erx, model, settings),
    connect: (validator, commitment) => new Connection(validator.url, commitment),
  });
  process.exit(0);
}

await main(process.argv.slice(2));
