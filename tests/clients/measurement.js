// What the measurements of measure.js share.
import { Keypair } from "@solana/web3.js";
import { readFileSync, readdirSync } from "node:fs";

// Processor time of a process in nanoseconds, over all and by the names of its threads.
export function processorTime(pid) {
  const threads = {};
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const name = readFileSync(`/proc/${pid}/task/${task}/comm`, "utf8").trim();
    const ran = Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
    threads[name] = (threads[name] ?? 0) + ran;
  }
  const all = Object.values(threads).reduce((sum, ran) => sum + ran, 0);
  return { all, threads };
}

// What was taken since an earlier reading.
export function processorTimeSince(before, pid) {
  const now = processorTime(pid);
  const threads = Object.entries(now.threads)
    .map(([name, ran]) => [name, ran - (before.threads[name] ?? 0)])
    .sort((a, b) => b[1] - a[1]);
  return { all: now.all - before.all, threads };
}

// The value below which that share of all lies.
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A payer with lamports, which are durable.
export async function fundedKeypair(connection) {
  const payer = Keypair.generate();
  const signature = await connection.requestAirdrop(payer.publicKey, 500_000_000_000);
  const latest = await connection.getLatestBlockhash();
  await connection.confirmTransaction({ signature, ...latest }, "confirmed");
  return payer;
}

// The validator's metrics, by name.
export async function readMetrics(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const pairs = lines.map((line) => line.split(" "));
  return new Map(pairs.map(([name, value]) => [name, Number(value)]));
}
