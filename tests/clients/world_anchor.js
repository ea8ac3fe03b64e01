// Plays with the world program as an Anchor client does: every instruction is
// encoded from the project's IDL by @coral-xyz/anchor, executed by the engine's
// bank, and every account is decoded by the same library and compared.
//
//   usage: world_anchor.js PEER IDL.json
import anchor from "@coral-xyz/anchor";
import { Keypair, PublicKey, SystemProgram, Transaction } from "@solana/web3.js";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const { BN } = anchor;
const SHARD_ALIGNMENT = 4096;
const CHUNK = 900; // leaves room for the accounts in a packet
const LUTS = 1024;
const FRAMES = 4;

const peer = spawn(process.argv[2], { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
async function ask(request) {
  peer.stdin.write(request + "\n");
  const { value, done } = await lines.next();
  if (done) throw new Error(`the peer ended at: ${request}`);
  return value;
}

const idl = JSON.parse(readFileSync(process.argv[3]));
const player1 = Keypair.generate();
const player2 = Keypair.generate();
const program = new anchor.Program(idl, { publicKey: player1.publicKey });
const coder = program.coder;

const u64 = (value) => new BN(value).toArrayLike(Buffer, "le", 8);
const address = (...seeds) =>
  PublicKey.findProgramAddressSync(seeds.map((seed) => Buffer.from(seed)), program.programId)[0];
const manifestAddress = (model) => address("manifest", u64(model));
const weightsAddress = (model, shard) => address("weights", u64(model), [shard]);
const sessionAddresses = (session) => ({
  session: address("session", u64(session)),
  hiddenState: address("hidden", u64(session)),
  inputBuffer: address("input", u64(session)),
});
const sha256 = (...parts) => {
  const hash = createHash("sha256");
  parts.forEach((part) => hash.update(part));
  return [...hash.digest()];
};

// Executes instructions as one transaction in a block of its own, so that equal
// ones are no repetition; returns its log lines.
async function run(signers, ...builders) {
  await ask("seal");
  const transaction = new Transaction({
    feePayer: signers[0].publicKey,
    recentBlockhash: await ask("blockhash"),
  });
  for (const builder of builders) transaction.add(await builder.instruction());
  transaction.sign(...signers);
  const [result, ...logs] = (await ask(`run ${transaction.serialize().toString("hex")}`)).split(
    "\t",
  );
  return { isGood: result === "ok", logs };
}

async function must(signers, ...builders) {
  const { isGood, logs } = await run(signers, ...builders);
  assert.ok(isGood, logs.join("\n"));
}

async function fails(name, signers, ...builders) {
  const { isGood, logs } = await run(signers, ...builders);
  assert.ok(!isGood, `${name} was expected`);
  const error = anchor.AnchorError.parse(logs);
  const expected = idl.errors.find((one) => one.name === name);
  assert.equal(error?.error.errorCode.code, name, logs.join("\n"));
  assert.equal(error.error.errorCode.number, expected.code);
  assert.equal(error.error.errorMessage, expected.msg);
}

async function bytesOf(key) {
  const answer = await ask(`account ${key.toBase58()}`);
  assert.notEqual(answer, "none", `there is no account ${key.toBase58()}`);
  return Buffer.from(answer, "hex");
}

// An account decoded, after encoding it again gave the same bytes; what follows
// must be zero where the account is longer than its fields.
async function fetch(name, key, rest) {
  const data = await bytesOf(key);
  const account = coder.accounts.decode(name, data);
  const encoded = await encode(name, account);
  assert.deepEqual(data.subarray(0, encoded.length), encoded);
  const expected = rest ?? Buffer.alloc(data.length - encoded.length);
  assert.deepEqual(data.subarray(encoded.length), expected);
  return account;
}

// The library's account encoder has a buffer of 1,000 bytes; its type encoder
// has the same, but takes parts.
async function encode(name, account) {
  if (name !== "modelManifest") return coder.accounts.encode(name, account);
  const discriminator = program.idl.accounts.find((one) => one.name === name).discriminator;
  const number = (size, value) => {
    const bytes = Buffer.alloc(size);
    bytes.writeUIntLE(value, 0, size);
    return bytes;
  };
  const array = (size, values) => Buffer.concat(values.map((value) => number(size, value)));
  return Buffer.concat([
    Buffer.from(discriminator),
    Buffer.from(account.name),
    array(2, [account.version, account.dModel, account.dInner, account.dState]),
    array(1, [account.numLayers, account.numHeads, account.numShards]),
    ...account.shardKeys.map((key) => key.toBuffer()),
    array(4, account.shardSizes),
    array(2, account.layerInputScales),
    array(2, account.layerOutputScales),
    Buffer.from(account.luts),
    number(1, account.numContinuous),
    number(2, account.numActionStates),
    number(1, account.numBinary),
    number(2, account.inputSize),
    account.authority.toBuffer(),
    number(1, account.ready),
    array(4, [account.totalParams, account.totalWeightBytes, account.manifest.length]),
    account.manifest,
  ]);
}

const { methods } = program;
const remaining = (model, count) =>
  Array.from({ length: count }, (_, shard) => ({
    pubkey: weightsAddress(model, shard),
    isSigner: false,
    isWritable: false,
  }));
const runAccounts = (session, model) => ({
  ...sessionAddresses(session),
  manifest: manifestAddress(model),
});
const controller = (frame, player) => ({
  stickX: (frame * 37 + player * 11) % 128,
  stickY: 0 - ((frame * 5) % 128),
  cStickX: player,
  cStickY: 0 - player,
  triggerL: frame,
  triggerR: 255 - frame,
  buttons: (frame * 3) % 256,
  buttonsExt: frame % 16,
});

const create = (session, model, maxFrames = 0) =>
  methods
    .createSession(new BN(session), 3, 5, maxFrames, new BN("1122334455667788", 16))
    .accounts({ manifest: manifestAddress(model), player1: player1.publicKey });
const join = (session) =>
  methods
    .joinSession(9)
    .accounts({ ...sessionAddresses(session), player2: player2.publicKey });
const submit = (session, sequence, player, frame) =>
  methods
    .submitInput(sequence, controller(frame, player))
    .accounts({
      ...sessionAddresses(session),
      player: (player === 0 ? player1 : player2).publicKey,
    });
const infer = (session, model, shards) =>
  methods
    .runInference()
    .accounts(runAccounts(session, model))
    .remainingAccounts(remaining(model, shards));
const chunk = (session, model, shards, first, count) =>
  methods
    .runInferenceChunk(first, count)
    .accounts(runAccounts(session, model))
    .remainingAccounts(remaining(model, shards));
const close = (session, player) =>
  methods.closeSession().accounts({ ...sessionAddresses(session), player: player.publicKey });

async function feed(session, frame) {
  await must([player1], submit(session, frame + 1, 0, frame));
  await must([player2], submit(session, frame + 1, 1, frame));
}

// Uploads the model of a directory under another id; returns its shards' number.
async function upload(directory, model) {
  const text = readFileSync(`${directory}/manifest.json`);
  const weights = readFileSync(`${directory}/weights_int8.bin`);
  const shape = JSON.parse(text).architecture;
  const { shards } = JSON.parse(text).shard_map;
  const luts = Buffer.from(Array.from({ length: LUTS }, (_, i) => (i * 7) % 256));
  const authority = player1.publicKey;
  let offset = 0;
  for (let shard = 0; shard < shards.length; shard++) {
    const data = weights.subarray(offset, offset + shards[shard].size);
    assert.equal(offset % SHARD_ALIGNMENT, 0);
    offset += data.length;
    const accounts = { weights: weightsAddress(model, shard), authority };
    await must(
      [player1],
      methods.initWeights(new BN(model), shard, data.length).accounts({ authority }),
    );
    for (let at = 0; at < data.length; at += CHUNK)
      await must(
        [player1],
        methods.uploadWeights(at, data.subarray(at, at + CHUNK)).accounts(accounts),
      );
    await must([player1], methods.finalizeWeights(sha256(data)).accounts(accounts));
    const account = await fetch("weightShard", accounts.weights, data);
    assert.equal(account.shardIndex, shard);
    assert.equal(account.finalized, 1);
    assert.equal(account.bytesWritten, data.length);
    assert.deepEqual(account.dataHash, sha256(data));
  }
  const name = Buffer.alloc(32);
  name.write("uploaded");
  const sizes = [shape.d_model, shape.d_inner, shape.d_state, shape.n_layers, shape.nheads];
  await must(
    [player1],
    methods
      .initManifest(new BN(model), [...name], 1, ...sizes, shards.length, 12, 400, 3, 205, 77,
        weights.length, text.length)
      .accounts({ authority }),
  );
  const accounts = { manifest: manifestAddress(model), authority };
  const whole = Buffer.concat([luts, text]);
  for (let at = 0; at < whole.length; at += CHUNK)
    await must(
      [player1],
      methods.uploadManifest(at, whole.subarray(at, at + CHUNK)).accounts(accounts),
    );
  const finalize = methods
    .finalizeManifest(sha256(whole))
    .accounts(accounts)
    .remainingAccounts(remaining(model, shards.length));
  await must([player1], finalize);
  await fails("AlreadyFinalized", [player1], finalize);
  const account = await fetch("modelManifest", accounts.manifest);
  assert.equal(account.ready, 1);
  assert.equal(account.dModel, shape.d_model);
  assert.equal(account.totalWeightBytes, weights.length);
  assert.deepEqual(account.shardKeys[0], weightsAddress(model, 0));
  assert.deepEqual(Buffer.from(account.luts), luts);
  assert.deepEqual(account.manifest, text);
  return shards.length;
}

// Plays a session of a model; returns the bytes of its HiddenState.
async function play(session, model, shards, chunks) {
  const keys = sessionAddresses(session);
  await must([player1], create(session, model, FRAMES));
  await fails("CannotJoinOwnSession", [player1],
    methods.joinSession(9).accounts({ ...keys, player2: player1.publicKey }));
  await fails("SessionNotActive", [player1], submit(session, 1, 0, 0));
  await must([player2], join(session));
  const { players } = await fetch("sessionState", keys.session);
  assert.deepEqual(
    players.map((one) => [one.x, one.stocks, one.jumpsLeft, one.shieldStrength, one.facing]),
    [[-30 * 256, 4, 2, 60 * 256, 1], [30 * 256, 4, 2, 60 * 256, 0]],
  );
  await fails("InvalidStateTransition", [player2], join(session));
  await fails("InputsNotReady", [player1], infer(session, model, shards));
  for (let frame = 0; frame < FRAMES; frame++) {
    await feed(session, frame);
    const input = await fetch("inputBuffer", keys.inputBuffer);
    assert.deepEqual(input.player1, controller(frame, 0));
    assert.deepEqual(input.player2, controller(frame, 1));
    assert.deepEqual([input.frame, input.p1Ready, input.p2Sequence], [frame, 1, frame + 1]);
    await fails("StaleInput", [player1], submit(session, frame + 1, 0, frame));
    if (chunks) {
      await fails("LayerOutOfOrder", [player1], chunk(session, model, shards, 1, 1));
      await must([player1], chunk(session, model, shards, 0, 1));
      await must([player1], chunk(session, model, shards, 1, 2));
    } else {
      await must([player1], infer(session, model, shards));
    }
    await ask("seal");
  }
  const state = await fetch("sessionState", keys.session);
  assert.deepEqual([state.status, state.stage], [3, 3]);
  assert.deepEqual([state.frame, state.maxFrames], [FRAMES, FRAMES]);
  assert.ok(state.player1.equals(player1.publicKey) && state.player2.equals(player2.publicKey));
  assert.ok(state.model.equals(manifestAddress(model)));
  assert.ok(state.seed.eq(new BN("1122334455667788", 16)));
  assert.deepEqual(state.players.map((one) => one.character), [5, 9]);
  const hidden = await bytesOf(keys.hiddenState);
  const header = coder.types.decode("hiddenStateHeader", hidden.subarray(0, 16));
  assert.deepEqual([header.frame, header.initialized, header.stateBits], [FRAMES, 1, 16]);
  assert.equal(header.dataSize, hidden.length - 16);
  assert.deepEqual(coder.types.encode("hiddenStateHeader", header), hidden.subarray(0, 16));
  await fails("SessionNotActive", [player1], infer(session, model, shards));
  await fails("UnauthorizedPlayer", [stranger], close(session, stranger));
  await must([player2], close(session, player2));
  assert.equal(await ask(`account ${keys.session.toBase58()}`), "none");
  return hidden;
}

const stranger = Keypair.generate();
let passed = 0;
async function check(name, body) {
  await body();
  passed++;
  console.log(`ok ${name}`);
}

// Accounts that the library finds by itself are those of the program.
await check("addresses", async () => {
  const keys = await create(1, 7).pubkeys();
  assert.deepEqual({ ...sessionAddresses(1), ...keys }, keys);
  assert.ok(keys.systemProgram.equals(SystemProgram.programId));
});
const [directory, loaded] = (await ask("model")).split(" ");
let whole;
await check("a session, whole frames", async () => {
  whole = await play(10, Number(loaded), 1, false);
});
await check("a session, frames in chunks", async () => {
  assert.deepEqual(await play(11, Number(loaded), 1, true), whole);
});
await check("an uploaded model plays the same", async () => {
  const shards = await upload(directory, 500);
  assert.deepEqual(await play(12, 500, shards, false), whole);
});
await check("what belongs to others", async () => {
  await fails("Unauthorized", [stranger],
    methods.uploadWeights(0, Buffer.alloc(4)).accounts({
      weights: weightsAddress(500, 0), authority: stranger.publicKey }));
  await must([player1], create(13, 500));
  await must([player2], join(13));
  await feed(13, 0);
  await fails("AccountMismatch", [player1], infer(13, Number(loaded), 1));
  await fails("HiddenStateMismatch", [player1],
    methods.runInference().accounts({
      ...runAccounts(13, 500), hiddenState: manifestAddress(500) })
      .remainingAccounts(remaining(500, 1)));
});
peer.stdin.end();
console.log(`${passed} passed, 0 failed`);
