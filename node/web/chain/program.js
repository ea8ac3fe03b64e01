/* The world program: its addresses, instructions and accounts, byte for byte. */
import * as base58 from "./base58.js";
import { Reader, concat, equal, u32, u64, u8, utf8 } from "./bytes.js";
import { findProgramAddress } from "./program_address.js";
import { sha256 } from "./sha2.js";

export const DEFAULT_PROGRAM = "WrLd111111111111111111111111111111111111111";
const SYSTEM_PROGRAM = "11111111111111111111111111111111";
const MEMO_PROGRAM = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr";

export const SESSION_BYTES = 256;
export const INPUT_BYTES = 8;

/* SessionState.status */
export const CREATED = 0;
export const WAITING = 1;
export const ACTIVE = 2;
export const ENDED = 3;

const NO_KEY = new Uint8Array(32);

const discriminator = (text) => sha256(utf8(text)).subarray(0, 8);
export const ACCOUNT = {
  session: discriminator("account:SessionState"),
  input: discriminator("account:InputBuffer"),
  manifest: discriminator("account:ModelManifest"),
};
export const CREATE_SESSION = discriminator("global:create_session");
const INSTRUCTION = {
  create: CREATE_SESSION,
  join: discriminator("global:join_session"),
  input: discriminator("global:submit_input"),
  close: discriminator("global:close_session"),
};

/* The three accounts of the session with this number. */
export function sessionAddresses(sessionId, programId) {
  const find = (name) => findProgramAddress([utf8(name), u64(sessionId)], programId);
  return { session: find("session"), hidden: find("hidden"), input: find("input") };
}

/* A controller's eight bytes from {stickX, stickY, cX, cY, left, right, buttons}:
 * sticks -127 to 127, triggers 0 to 255, buttons with the extra ones from bit 8. */
export function encodeInput(pad) {
  return Uint8Array.of(pad.stickX & 255, pad.stickY & 255, pad.cX & 255, pad.cY & 255,
    pad.left, pad.right, pad.buttons & 255, pad.buttons >> 8);
}

const signer = (address) => ({ address, signer: true });
const writable = (address) => ({ address, writable: true });
const plain = (address) => ({ address });

/* Instructions of one program id. addresses: as sessionAddresses returns them. */
export class Program {
  constructor(id) {
    this.id = id;
  }

  #instruction(accounts, ...data) {
    return { programId: this.id, accounts, data: concat(...data) };
  }

  create(addresses, player, terms) {
    const owned = [addresses.session, addresses.hidden, addresses.input].map(writable);
    return this.#instruction(
      [...owned, plain(terms.manifest), { address: player, signer: true, writable: true },
        plain(SYSTEM_PROGRAM)],
      INSTRUCTION.create, u64(terms.sessionId), u8(terms.stage), u8(terms.character),
      u32(terms.maxFrames), u64(terms.seed));
  }

  /* An option of the sessions that later instructions of a transaction create: a
   * frame every so many ticks of the validator. */
  rate(divisor) {
    return { programId: MEMO_PROGRAM, accounts: [], data: utf8(`erx tick_divisor ${divisor}`) };
  }

  join(session, player, character) {
    return this.#instruction([writable(session), signer(player)], INSTRUCTION.join,
      u8(character));
  }

  input(addresses, player, sequence, input) {
    return this.#instruction(
      [plain(addresses.session), writable(addresses.input), signer(player)],
      INSTRUCTION.input, u32(sequence), input);
  }

  close(addresses, player) {
    const owned = [addresses.session, addresses.hidden, addresses.input].map(writable);
    return this.#instruction([...owned, signer(player)], INSTRUCTION.close);
  }
}

const UNIT = 256; /* fixed-point values are game units times this */

function decodePlayer(reader) {
  const player = { x: reader.i32() / UNIT, y: reader.i32() / UNIT };
  player.percent = reader.u16();
  player.shield = reader.u16() / UNIT;
  player.speedAirX = reader.i16() / UNIT;
  player.speedY = reader.i16() / UNIT;
  player.speedGroundX = reader.i16() / UNIT;
  player.speedAttackX = reader.i16() / UNIT;
  player.speedAttackY = reader.i16() / UNIT;
  player.age = reader.u16();
  player.hitlag = reader.u8();
  player.stocks = reader.u8();
  player.facing = reader.u8() ? 1 : -1;
  player.onGround = reader.u8() !== 0;
  player.action = reader.u16();
  player.jumps = reader.u8();
  player.character = reader.u8();
  return player;
}

function decodeKey(bytes) {
  return equal(bytes, NO_KEY) ? null : base58.encode(bytes);
}

function checked(bytes, expected, name) {
  if (bytes.length < 8 || !equal(bytes.subarray(0, 8), expected))
    throw new Error(`this account is no ${name}`);
  const reader = new Reader(bytes);
  reader.skip(8);
  return reader;
}

export function decodeSession(bytes) {
  if (bytes.length !== SESSION_BYTES) throw new Error("this account is no SessionState");
  const reader = checked(bytes, ACCOUNT.session, "SessionState");
  const session = { status: reader.u8(), frame: reader.u32(), maxFrames: reader.u32() };
  session.seats = [decodeKey(reader.take(32)), decodeKey(reader.take(32))];
  session.stage = reader.u8();
  session.players = [decodePlayer(reader), decodePlayer(reader)];
  session.model = base58.encode(reader.take(32));
  session.createdAt = Number(reader.i64());
  session.lastUpdate = Number(reader.i64());
  session.seed = reader.u64();
  return session;
}

/* Only the frame and the sequences: the inputs are the players' own. */
export function decodeInputBuffer(bytes) {
  const reader = checked(bytes, ACCOUNT.input, "InputBuffer");
  const buffer = { frame: reader.u32() };
  reader.skip(2 * INPUT_BYTES);
  buffer.ready = [reader.u8() !== 0, reader.u8() !== 0];
  buffer.sequences = [reader.u32(), reader.u32()];
  return buffer;
}

/* The part of a ModelManifest before its tables, and the counts after them. */
export function decodeManifest(bytes) {
  const reader = checked(bytes, ACCOUNT.manifest, "ModelManifest");
  const manifest = { name: new TextDecoder().decode(reader.take(32)).replace(/\0+$/, "") };
  manifest.version = reader.u16();
  manifest.width = reader.u16();
  manifest.innerWidth = reader.u16();
  manifest.stateWidth = reader.u16();
  manifest.layers = reader.u8();
  manifest.heads = reader.u8();
  reader.skip(1 + 4 * 32 + 4 * 4 + 2 * 16 * 2 + 1024 + 1 + 2 + 1 + 2 + 32);
  manifest.isReady = reader.u8() !== 0;
  manifest.parameters = reader.u32();
  manifest.weightBytes = reader.u32();
  return manifest;
}
