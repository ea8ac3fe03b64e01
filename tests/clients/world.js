// The world program for clients: addresses, instructions, accounts, as
// @solana/web3.js has them.
import { PublicKey, SystemProgram, TransactionInstruction } from "@solana/web3.js";
import { createHash } from "node:crypto";

export const WORLD = new PublicKey("WrLd111111111111111111111111111111111111111");

const discriminator = (name) =>
  createHash("sha256").update(`global:${name}`).digest().subarray(0, 8);

function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
function u16(value) {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
const u8 = (value) => Buffer.from([value]);

const address = (...seeds) =>
  PublicKey.findProgramAddressSync(
    seeds.map((seed) => (typeof seed === "string" ? Buffer.from(seed) : seed)),
    WORLD,
  )[0];

export const manifestAddress = (model) => address("manifest", u64(model));
export const weightsAddress = (model, shard) => address("weights", u64(model), u8(shard));
export const sessionAddress = (id) => address("session", u64(id));
export const hiddenAddress = (id) => address("hidden", u64(id));
export const inputAddress = (id) => address("input", u64(id));

const writable = (pubkey) => ({ pubkey, isSigner: false, isWritable: true });
const readable = (pubkey) => ({ pubkey, isSigner: false, isWritable: false });
const signer = (pubkey, isWritable = false) => ({ pubkey, isSigner: true, isWritable });

const instruction = (name, keys, ...data) =>
  new TransactionInstruction({
    programId: WORLD,
    keys,
    data: Buffer.concat([discriminator(name), ...data]),
  });

export const createSession = (
  id,
  model,
  player,
  { stage = 31, character = 2, maxFrames = 0, seed = 7 } = {},
) =>
  instruction(
    "create_session",
    [
      writable(sessionAddress(id)),
      writable(hiddenAddress(id)),
      writable(inputAddress(id)),
      readable(manifestAddress(model)),
      signer(player, true),
      readable(SystemProgram.programId),
    ],
    u64(id),
    u8(stage),
    u8(character),
    u32(maxFrames),
    u64(seed),
  );

export const joinSession = (id, player, character = 1) =>
  instruction("join_session", [writable(sessionAddress(id)), signer(player)], u8(character));

export const submitInput = (id, player, sequence, { stickX = 0, stickY = 0, buttons = 0 } = {}) =>
  instruction(
    "submit_input",
    [readable(sessionAddress(id)), writable(inputAddress(id)), signer(player)],
    u32(sequence),
    Buffer.from(Int8Array.of(stickX, stickY, 0, 0).buffer),
    Buffer.from([0, 0, buttons, 0]),
  );

const inferenceKeys = (id, model, shards) => [
  writable(sessionAddress(id)),
  writable(hiddenAddress(id)),
  writable(inputAddress(id)),
  readable(manifestAddress(model)),
  ...Array.from({ length: shards }, (_, shard) => readable(weightsAddress(model, shard))),
];

export const runInference = (id, model, shards) =>
  instruction("run_inference", inferenceKeys(id, model, shards));

export const runInferenceChunk = (id, model, shards, first, count) =>
  instruction("run_inference_chunk", inferenceKeys(id, model, shards), u8(first), u8(count));

export const closeSession = (id, player) =>
  instruction("close_session", [
    writable(sessionAddress(id)),
    writable(hiddenAddress(id)),
    writable(inputAddress(id)),
    signer(player),
  ]);

export const initWeights = (model, shard, size, authority) =>
  instruction(
    "init_weights",
    [
      writable(weightsAddress(model, shard)),
      signer(authority, true),
      readable(SystemProgram.programId),
    ],
    u64(model),
    u8(shard),
    u32(size),
  );

export const uploadWeights = (model, shard, offset, bytes, authority) =>
  instruction(
    "upload_weights",
    [writable(weightsAddress(model, shard)), signer(authority)],
    u32(offset),
    u32(bytes.length),
    bytes,
  );

export const finalizeWeights = (model, shard, hash, authority) =>
  instruction(
    "finalize_weights",
    [writable(weightsAddress(model, shard)), signer(authority)],
    hash,
  );

export const STATUS = { created: 0, waiting: 1, active: 2, ended: 3 };

// A SessionState account's fields.
export function readSession(data) {
  const player = (offset) => ({
    x: data.readInt32LE(offset) / 256,
    y: data.readInt32LE(offset + 4) / 256,
    percent: data.readUInt16LE(offset + 8),
    stocks: data[offset + 25],
    actionState: data.readUInt16LE(offset + 28),
  });
  return {
    status: data[8],
    frame: data.readUInt32LE(9),
    maxFrames: data.readUInt32LE(13),
    player1: new PublicKey(data.subarray(17, 49)),
    player2: new PublicKey(data.subarray(49, 81)),
    stage: data[81],
    players: [player(82), player(114)],
    model: new PublicKey(data.subarray(146, 178)),
  };
}

export { u16, u32, u64, u8 };
