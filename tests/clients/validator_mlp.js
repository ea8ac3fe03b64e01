// An MLP world model on a validator: uploaded by transactions, played by input
// and by run_inference, read, killed, there again, and re-executed.
//
//   usage: validator_mlp.js ERX MODEL
import { Connection, Keypair, Transaction } from "@solana/web3.js";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  assert,
  assertEqual,
  check,
  finish,
  refusal,
  sendAndAsk,
  startIn,
  until,
} from "./validator.js";
import * as world from "./world.js";

const [erx, model] = process.argv.slice(2);
const UPLOADED = 2;
const [RING, FRAME_BYTES] = [8, 256]; // HiddenState: 16 of header, 192 of world, then the ring
const directory = mkdtempSync(join(tmpdir(), "erx-mlp-"));
const network = join(directory, "network");
const archive = join(directory, "archive");
const [payer, other] = [Keypair.generate(), Keypair.generate()];
const [played, called] = [BigInt(Date.now()) * 4n, BigInt(Date.now()) * 4n + 1n];
let validator, connection;

const run = (...words) => spawnSync(erx, words, { encoding: "utf8" });
const send = (instructions, signers) =>
  sendAndAsk(connection, new Transaction().add(...[instructions].flat()), signers);
const read = async (address) => (await connection.getAccountInfo(address, "processed")).data;
const frameOf = async (id) => world.readSession(await read(world.sessionAddress(id))).frame;

async function start() {
  validator = await startIn(directory, erx, model, [`archive=${archive}`]);
  connection = new Connection(validator.url, "confirmed");
}

// What HiddenState says of its own.
function readHidden(data) {
  return {
    layers: data[0],
    inner: data.readUInt16LE(1),
    state: data.readUInt16LE(3),
    bytes: data.readUInt32LE(5),
    frame: data.readUInt32LE(9),
    bits: data[14],
    begun: data.readUInt32LE(16 + 192),
    oldest: data.readUInt32LE(16 + 192 + 4),
  };
}

await check("an MLP is made, uploaded, and described by its accounts", async () => {
  const made = run("synth", "--preset", "mlp", "--seed", "1", "--out", network);
  assertEqual(made.status, 0, made.stderr);
  await start();
  for (const key of [payer, other]) {
    const signature = await connection.requestAirdrop(key.publicKey, 5_000_000_000);
    const latest = await connection.getLatestBlockhash();
    await connection.confirmTransaction({ signature, ...latest }, "confirmed");
  }
  const keypair = join(directory, "keypair.json");
  writeFileSync(keypair, JSON.stringify([...payer.secretKey]));
  const uploaded = run("upload", network, "--url", validator.url, "--keypair", keypair);
  assertEqual(uploaded.status, 0, uploaded.stderr);
  const manifest = await read(world.manifestAddress(UPLOADED));
  assertEqual(manifest.subarray(8, 40).toString().replace(/\0+$/, ""), "synth-mlp-1");
  assertEqual([...manifest.subarray(42, 50)], Array(8).fill(0), "no layers of its own");
  const text = manifest.subarray(1334, 1334 + manifest.readUInt32LE(1330)).toString();
  assertEqual(JSON.parse(text).architecture.model_type, "mlp");
});

await check("two players play it; both accounts grow with every frame", async () => {
  await send(world.createSession(played, UPLOADED, payer.publicKey), [payer]);
  await send(world.joinSession(played, other.publicKey), [payer, other]);
  await send(world.submitInput(played, payer.publicKey, 1, { stickX: 90 }), [payer]);
  await until("frames", async () => (await frameOf(played)) > 20);
  const hidden = readHidden(await read(world.hiddenAddress(played)));
  assertEqual([hidden.layers, hidden.inner, hidden.state], [0, 0, 0]);
  assertEqual(hidden.bits, 8);
  assertEqual(hidden.bytes % 64, 0);
  assert(hidden.bytes > 192 + RING + FRAME_BYTES, `${hidden.bytes} bytes`);
  assertEqual(hidden.begun, 1);
  assert(hidden.frame > 20 && hidden.oldest < 16);
});

await check("run_inference steps it, and frames in chunks of layers are refused", async () => {
  await send(world.createSession(called, UPLOADED, payer.publicKey, { maxFrames: 100000 }), [
    payer,
  ]);
  await send(world.joinSession(called, other.publicKey), [payer, other]);
  const shards = (await read(world.manifestAddress(UPLOADED)))[50];
  const before = await frameOf(called);
  await send(
    [
      world.submitInput(called, payer.publicKey, 1),
      world.submitInput(called, other.publicKey, 1),
      world.runInference(called, UPLOADED, shards),
    ],
    [payer, other],
  );
  assert((await frameOf(called)) > before);
  const error = await refusal(
    send(world.runInferenceChunk(called, UPLOADED, shards, 0, 1), [payer]),
  );
  assert(String(error.logs ?? error).includes("LayerOutOfOrder"), String(error));
});

await check("killed, it goes on with the frames that clients saw", async () => {
  const seen = await frameOf(played);
  connection._rpcWebSocket.setAutoReconnect(false);
  connection._rpcWebSocket.close();
  await validator.stop("SIGKILL");
  await start();
  await until("it goes on", async () => (await frameOf(played)) > seen);
  assertEqual(readHidden(await read(world.hiddenAddress(played))).begun, 1);
  await validator.stop();
  for (const place of [
    ["--data", join(directory, "data")],
    ["--archive", archive],
  ]) {
    const verified = run("verify", ...place);
    assertEqual(verified.status, 0, verified.stderr);
    assert(verified.stdout.includes("every hash agrees"), verified.stdout);
  }
});

await validator?.stop("SIGKILL");
rmSync(directory, { recursive: true, force: true });
finish();
