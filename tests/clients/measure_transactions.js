// Processor time of the validator for a transaction that comes over raw HTTP: as many
// connections as asked for, each of which sends the next when it has its answer.
import { Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { createPrivateKey, sign } from "node:crypto";
import { connect } from "node:net";
import {
  fundedKeypair,
  processorTime,
  processorTimeSince,
  quantile,
  sleep,
} from "./measurement.js";

const CONNECTIONS = 16;
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const LAMPORTS_BYTES = 8; // at the end of a transfer's message
const PACKETS_A_SECOND = 12_000;
const BUSY = '"code":-32005';
const BUSY_WAIT_MS = 4; // before what was refused as too much is sent again
const QUEUE_MS = 500; // a full queue is verified and executed
const HEADER_END = Buffer.from("\r\n\r\n");

// Makes signed transfers of 1, 2, 3, ... lamports.
function packetSource(payer, blockhash) {
  const transfer = SystemProgram.transfer({
    fromPubkey: payer.publicKey,
    toPubkey: Keypair.generate().publicKey,
    lamports: 1,
  });
  const message = new Transaction({ feePayer: payer.publicKey, recentBlockhash: blockhash })
    .add(transfer)
    .serializeMessage();
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, payer.secretKey.subarray(0, 32)]),
    format: "der",
    type: "pkcs8",
  });
  let lamports = 0n;
  return () => {
    message.writeBigUInt64LE(++lamports, message.length - LAMPORTS_BYTES);
    return Buffer.concat([Buffer.from([1]), sign(null, message, key), message]);
  };
}

function httpRequest(id, packet, options) {
  const body = JSON.stringify({
    jsonrpc: "2.0",
    id,
    method: "sendTransaction",
    params: [packet.toString("base64"), { encoding: "base64", ...options }],
  });
  return Buffer.from(
    `POST / HTTP/1.1\r\nHost: erx\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}

// Sends requests one after the other until it is stopped; waits holds how long answers took.
class Sender {
  constructor(url, next, waits) {
    const { hostname, port } = new URL(url);
    this.next = next;
    this.waits = waits;
    this.received = Buffer.alloc(0);
    this.socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.socket.on("data", (data) => this.onData(data));
    this.ended = new Promise((resolve, reject) => {
      this.socket.on("close", resolve);
      this.socket.on("error", reject);
    });
    this.send();
  }

  send() {
    this.request = this.next();
    if (this.request === undefined) {
      this.socket.end();
      return;
    }
    this.sent = performance.now();
    this.socket.write(this.request);
  }

  onData(data) {
    this.received = this.received.length === 0 ? data : Buffer.concat([this.received, data]);
    const header = this.received.indexOf(HEADER_END);
    if (header < 0) return;
    const fields = this.received.toString("latin1", 0, header);
    const length = Number(/content-length: (\d+)/.exec(fields)[1]);
    const begin = header + HEADER_END.length;
    if (this.received.length < begin + length) return;
    const answer = this.received.toString("latin1", begin, begin + length);
    this.received = this.received.subarray(begin + length);
    if (answer.includes(BUSY)) {
      setTimeout(() => this.socket.write(this.request), BUSY_WAIT_MS);
      return;
    }
    if (!answer.includes('"result"')) throw new Error(`refused: ${answer}`);
    this.waits.push(performance.now() - this.sent);
    this.send();
  }
}

async function measureMode(validator, connection, payer, name, options, seconds) {
  const { blockhash } = await connection.getLatestBlockhash("processed");
  const packet = packetSource(payer, blockhash);
  const requests = Array.from({ length: Math.ceil(PACKETS_A_SECOND * seconds) }, (_, id) =>
    httpRequest(id, packet(), options),
  );
  await sleep(500);
  const waits = [];
  const end = performance.now() + seconds * 1000;
  const next = () => (performance.now() < end ? requests.pop() : undefined);
  const before = processorTime(validator.pid);
  const begin = performance.now();
  const senders = Array.from(
    { length: CONNECTIONS },
    () => new Sender(validator.url, next, waits),
  );
  await Promise.all(senders.map((sender) => sender.ended));
  const took = (performance.now() - begin) / 1000;
  await sleep(QUEUE_MS);
  const used = processorTimeSince(before, validator.pid);
  const each = (ns) => (ns / 1000 / waits.length).toFixed(1);
  const [middle, late] = [0.5, 0.99].map((share) => quantile(waits, share).toFixed(1));
  const threads = used.threads.filter(([, ns]) => ns > 0);
  console.log(
    `${name}: ${waits.length} transactions, ${Math.round(waits.length / took)} a second, ` +
      `answer p50 ${middle} ms p99 ${late} ms, validator ${each(used.all)} us each: ` +
      threads.map(([thread, ns]) => `${thread} ${each(ns)}`).join(", "),
  );
}

export async function measureTransactions({ start, connect: client, seconds }) {
  const validator = await start();
  const connection = client(validator, "confirmed");
  const payer = await fundedKeypair(connection);
  const before = processorTime(validator.pid);
  await sleep(1000);
  const idle = processorTimeSince(before, validator.pid).all;
  console.log(`idle: ${(idle / 1e7).toFixed(2)} % of a processor`);
  for (const [name, options] of [
    ["preflight", {}],
    ["skipPreflight", { skipPreflight: true }],
  ])
    await measureMode(validator, connection, payer, name, options, seconds / 2);
  await validator.stop();
}
