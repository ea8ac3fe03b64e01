// From sending a transaction to the notification about an account that it changed, with
// @solana/web3.js, less the wait for the block that executes it.
//
// Blocks come with exact ticks, so that when one was due follows from its slot and from
// the slot notification that took the least time to arrive.
import { Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { fundedKeypair, quantile, readMetrics, sleep } from "./measurement.js";

const TICK_MS = 1000 / 60;
const PAUSE_MS = 40; // at most, between two transactions: they meet every phase of a tick
const LEARN_MS = 1000; // of slot notifications, before the first transaction

// When blocks were due, learned from the slots as they are told.
class BlockClock {
  constructor() {
    this.offset = Infinity;
  }
  told(slot, now) {
    this.offset = Math.min(this.offset, now - slot * TICK_MS);
  }
  due(slot) {
    return this.offset + slot * TICK_MS;
  }
}

const summary = (values) =>
  [0.5, 0.9, 0.99, 1].map((share) => quantile(values, share).toFixed(2).padStart(6)).join(" ");

export async function measureLatency({ start, connect, seconds }) {
  const validator = await start();
  const connection = connect(validator, "processed");
  const payer = await fundedKeypair(connect(validator, "confirmed"));
  const target = Keypair.generate().publicKey;
  const clock = new BlockClock();
  const notified = new Map();
  connection.onSlotChange(({ slot }) => clock.told(slot, performance.now()));
  connection.onAccountChange(
    target,
    ({ lamports }, { slot }) => notified.get(lamports)?.({ slot, at: performance.now() }),
    "processed",
  );
  await sleep(LEARN_MS);
  const samples = [];
  const end = performance.now() + seconds * 1000;
  for (let lamports = 1_000_000; performance.now() < end; lamports++) {
    const { blockhash } = await connection.getLatestBlockhash();
    const instruction = SystemProgram.transfer({
      fromPubkey: payer.publicKey,
      toPubkey: target,
      lamports: lamports === 1_000_000 ? lamports : 1,
    });
    const transaction = new Transaction({ feePayer: payer.publicKey, recentBlockhash: blockhash });
    transaction.add(instruction).sign(payer);
    const packet = transaction.serialize();
    const told = new Promise((resolve) => notified.set(lamports, resolve));
    const sent = performance.now();
    const answer = connection.sendRawTransaction(packet);
    const { slot, at } = await told;
    await answer;
    notified.delete(lamports);
    samples.push({ sent, slot, at });
    await sleep(Math.random() * PAUSE_MS);
  }
  const waits = samples.map(({ sent, slot }) => Math.max(0, clock.due(slot) - sent));
  const totals = samples.map(({ sent, at }) => at - sent);
  const metrics = await readMetrics(validator.url);
  console.log(`${samples.length} transactions, ms           p50    p90    p99    max`);
  console.log(`from sending to notification    ${summary(totals)}`);
  console.log(`of that, wait for the block     ${summary(waits)}`);
  console.log(`the rest                        ${summary(totals.map((all, i) => all - waits[i]))}`);
  console.log(`missed ticks: ${metrics.get("erx_ticks_missed_total")}`);
  await validator.stop();
}
