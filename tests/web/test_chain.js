// The page's own cryptography, addresses, transactions and layouts, against
// Node's and @solana/web3.js'.
//
//   usage: run.sh TARGET test_chain.js
import assert from "node:assert/strict";
import crypto from "node:crypto";
import http from "node:http";
import * as base58 from "../../node/web/chain/base58.js";
import * as ed25519 from "../../node/web/chain/ed25519.js";
import { PROGRAM_ERRORS, TransactionError, explain } from "../../node/web/chain/errors.js";
import { findProgramAddress } from "../../node/web/chain/program_address.js";
import * as program from "../../node/web/chain/program.js";
import { Rpc, RpcError } from "../../node/web/chain/rpc.js";
import { sha256, sha512 } from "../../node/web/chain/sha2.js";
import * as transaction from "../../node/web/chain/transaction.js";
import { runCases, test } from "./cases.js";
import { load } from "./packages.js";

const { PublicKey, SystemProgram, Transaction, TransactionInstruction } = load("@solana/web3.js");

const PROGRAM = program.DEFAULT_PROGRAM;
const randomKey = () => new PublicKey(crypto.randomBytes(32)).toBase58();
const below = (limit) => crypto.randomInt(limit);

test("base58 agrees with web3.js and keeps leading zeros", () => {
  for (let i = 0; i < 200; i++) {
    const bytes = crypto.randomBytes(32);
    bytes.fill(0, 0, below(5));
    const text = new PublicKey(bytes).toBase58();
    assert.equal(base58.encode(bytes), text);
    assert.deepEqual(Buffer.from(base58.decode(text)), bytes);
  }
  assert.throws(() => base58.decode("0OIl"), /'0'/);
  assert.equal(base58.isAddress("tooshort"), false);
});

test("SHA-256 and SHA-512 agree with Node's at every length around a block", () => {
  for (let length = 0; length < 300; length++) {
    const message = crypto.randomBytes(length);
    const expected = (name) => crypto.createHash(name).update(message).digest();
    assert.deepEqual(Buffer.from(sha256(message)), expected("sha256"));
    assert.deepEqual(Buffer.from(sha512(message)), expected("sha512"));
  }
});

test("keys and signatures without WebCrypto are Node's, byte for byte", () => {
  for (let i = 0; i < 12; i++) {
    const { privateKey } = crypto.generateKeyPairSync("ed25519");
    const jwk = privateKey.export({ format: "jwk" });
    const seed = Buffer.from(jwk.d, "base64url");
    const message = crypto.randomBytes(below(400));
    assert.equal(Buffer.from(ed25519.publicKey(seed)).toString("base64url"), jwk.x);
    const signature = ed25519.sign(message, seed, Buffer.from(jwk.x, "base64url"));
    assert.deepEqual(Buffer.from(signature), crypto.sign(null, message, privateKey));
  }
});

test("program addresses agree with web3.js", () => {
  for (let i = 0; i < 60; i++) {
    const seeds = Array.from({ length: 1 + below(4) }, () => crypto.randomBytes(below(33)));
    const [expected] = PublicKey.findProgramAddressSync(seeds, new PublicKey(PROGRAM));
    assert.equal(findProgramAddress(seeds, PROGRAM), expected.toBase58());
  }
});

test("a session's addresses come from its number", () => {
  const number = 0x0123456789abcdefn;
  const seed = Buffer.from("efcdab8967452301", "hex");
  const find = (name) => PublicKey.findProgramAddressSync([Buffer.from(name), seed],
    new PublicKey(PROGRAM))[0].toBase58();
  assert.deepEqual(program.sessionAddresses(number, PROGRAM),
    { session: find("session"), hidden: find("hidden"), input: find("input") });
});

test("messages agree with web3.js for accounts in any order and with any rights", () => {
  for (let i = 0; i < 60; i++) {
    const payer = randomKey();
    const pool = [payer, ...Array.from({ length: 1 + below(6) }, randomKey)];
    const signers = new Set([payer]);
    const instruction = () => ({
      programId: PROGRAM,
      data: crypto.randomBytes(below(300)),
      accounts: Array.from({ length: below(7) }, () => {
        const address = pool[below(pool.length)];
        return { address, signer: signers.has(address), writable: below(2) === 1 };
      }),
    });
    const instructions = Array.from({ length: 1 + below(3) }, instruction);
    const blockhash = randomKey();
    const theirs = new Transaction({ feePayer: new PublicKey(payer), recentBlockhash: blockhash });
    for (const { programId, data, accounts } of instructions)
      theirs.add(new TransactionInstruction({ programId: new PublicKey(programId), data,
        keys: accounts.map(({ address, signer, writable }) => ({ pubkey: new PublicKey(address),
          isSigner: signer, isWritable: writable })) }));
    const ours = transaction.buildMessage(payer, instructions, blockhash);
    assert.deepEqual(sortedMessage(ours), sortedMessage(theirs.serializeMessage()));
  }
});

/* A message with the accounts of each kind in the order of their bytes, which is
 * the writer's choice: rights, then every instruction with its addresses. */
function sortedMessage(bytes) {
  const { Message } = load("@solana/web3.js");
  const message = Message.from(bytes);
  const keys = message.accountKeys.map((key) => key.toBase58());
  return {
    header: message.header,
    payer: keys[0],
    rights: keys.map((key, i) => [key, message.isAccountSigner(i), message.isAccountWritable(i)])
      .sort(),
    blockhash: message.recentBlockhash,
    instructions: message.instructions.map(({ programIdIndex, accounts, data }) =>
      [keys[programIdIndex], accounts.map((index) => keys[index]), data]),
  };
}

test("a signed transaction is one that web3.js verifies", async () => {
  const seed = crypto.randomBytes(32);
  const publicKey = ed25519.publicKey(seed);
  const keypair = { address: base58.encode(publicKey),
    sign: async (message) => ed25519.sign(message, seed, publicKey) };
  const world = new program.Program(PROGRAM);
  const addresses = program.sessionAddresses(7n, PROGRAM);
  const input = world.input(addresses, keypair.address, 1, new Uint8Array(8));
  const text = await transaction.signTransaction(keypair, [input], randomKey());
  assert.ok(Transaction.from(Buffer.from(text, "base64")).verifySignatures());
});

test("instructions have the bytes and accounts of the interface", () => {
  const world = new program.Program(PROGRAM);
  const addresses = program.sessionAddresses(5n, PROGRAM);
  const player = randomKey();
  const terms = { manifest: randomKey(), sessionId: 5n, stage: 32, character: 9, maxFrames: 900,
    seed: 0x1122334455667788n };
  const create = world.create(addresses, player, terms);
  assert.equal(Buffer.from(create.data).toString("hex"),
    "f2c18fb396197ae3" + "0500000000000000" + "20" + "09" + "84030000" + "8877665544332211");
  assert.deepEqual(create.accounts.map(({ address }) => address), [addresses.session,
    addresses.hidden, addresses.input, terms.manifest, player, SystemProgram.programId.toBase58()]);
  assert.equal(Buffer.from(world.join(addresses.session, player, 3).data).toString("hex"),
    "175c04a09b38a4fd03");
  const pad = { stickX: -127, stickY: 127, cX: 0, cY: -1, left: 255, right: 1, buttons: 0xa05 };
  const input = world.input(addresses, player, 258, program.encodeInput(pad));
  assert.equal(Buffer.from(input.data).toString("hex"),
    "38b89a5bad3f158a" + "02010000" + "817f00ff" + "ff01" + "050a");
  assert.equal(Buffer.from(world.close(addresses, player).data).toString("hex"),
    "4472b28cde26f8d3");
});

/* SessionState with different values in all fields. */
function sessionBytes() {
  const bytes = Buffer.alloc(program.SESSION_BYTES);
  Buffer.from("5173a3c2fd5a7627", "hex").copy(bytes);
  bytes.writeUInt8(2, 8);
  bytes.writeUInt32LE(1234, 9);
  bytes.writeUInt32LE(900, 13);
  bytes.fill(7, 17, 49);
  bytes.writeUInt8(31, 81);
  for (const [at, sign] of [[82, 1], [114, -1]]) {
    bytes.writeInt32LE(sign * 7680, at);
    bytes.writeInt32LE(sign * -128, at + 4);
    bytes.writeUInt16LE(42, at + 8);
    bytes.writeUInt16LE(60 * 256, at + 10);
    [1, 2, 3, 4, 5].forEach((value, i) => bytes.writeInt16LE(sign * value * 256, at + 12 + 2 * i));
    bytes.writeUInt16LE(17, at + 22);
    bytes.set([6, 3, sign > 0 ? 1 : 0, 1], at + 24);
    bytes.writeUInt16LE(341, at + 28);
    bytes.set([2, 25], at + 30);
  }
  bytes.fill(9, 146, 178);
  bytes.writeBigInt64LE(1700000000n, 178);
  bytes.writeBigInt64LE(1700000001n, 186);
  bytes.writeBigUInt64LE(0xfedcba9876543210n, 194);
  return bytes;
}

test("SessionState is read field by field", () => {
  const session = program.decodeSession(sessionBytes());
  const { players, ...rest } = session;
  assert.deepEqual(rest, { status: 2, frame: 1234, maxFrames: 900, stage: 31,
    seats: [new PublicKey(Buffer.alloc(32, 7)).toBase58(), null],
    model: new PublicKey(Buffer.alloc(32, 9)).toBase58(), createdAt: 1700000000,
    lastUpdate: 1700000001, seed: 0xfedcba9876543210n });
  assert.deepEqual(players[1], { x: -30, y: 0.5, percent: 42, shield: 60, speedAirX: -1,
    speedY: -2, speedGroundX: -3, speedAttackX: -4, speedAttackY: -5, age: 17, hitlag: 6,
    stocks: 3, facing: -1, onGround: true, action: 341, jumps: 2, character: 25 });
  assert.equal(players[0].facing, 1);
  assert.throws(() => program.decodeSession(Buffer.alloc(256)), /no SessionState/);
  assert.throws(() => program.decodeSession(sessionBytes().subarray(0, 200)), /no SessionState/);
});

test("InputBuffer gives its frame and both sequences", () => {
  const bytes = Buffer.alloc(40);
  Buffer.from("00d5849fb3dc7e39", "hex").copy(bytes);
  bytes.writeUInt32LE(77, 8);
  bytes.set([1, 0], 28);
  bytes.writeUInt32LE(5, 30);
  bytes.writeUInt32LE(6, 34);
  assert.deepEqual(program.decodeInputBuffer(bytes),
    { frame: 77, ready: [true, false], sequences: [5, 6] });
});

test("every program error is explained by its own words, by number and by logs", () => {
  const texts = new Set();
  PROGRAM_ERRORS.forEach(([name], index) => {
    const err = { InstructionError: [0, { Custom: 6000 + index }] };
    const data = { err, logs: ["Program log: one"] };
    const answer = explain(new RpcError({ code: -32002, message: "failed", data }));
    assert.equal(answer.title, name);
    assert.deepEqual(answer.logs, ["Program log: one"]);
    assert.equal(explain(new TransactionError(err, [])).title, name);
    texts.add(answer.text);
  });
  assert.equal(PROGRAM_ERRORS.length, 18);
  assert.equal(texts.size, 18);
  const plain = explain(new RpcError({ code: -32602, message: "Invalid params" }));
  assert.equal(plain.text, "Invalid params");
  const full = { InstructionError: [0, "MaxAccountsDataAllocationsExceeded"] };
  assert.match(explain(new TransactionError(full, [])).text, /no room for another session/);
});

test("a refusal by HTTP alone is told in the validator's words", async () => {
  const answer = (status, text) => new Promise((resolve) => {
    const server = http.createServer((request, response) => response.writeHead(status).end(text));
    server.listen(0, "127.0.0.1", async () => {
      const { port } = server.address();
      resolve(await new Rpc(`http://127.0.0.1:${port}`).call("getSlot").catch((error) => error));
      server.closeAllConnections();
      server.close();
    });
  });
  const refused = explain(await answer(429, "too many requests a second\n"));
  assert.deepEqual([refused.title, refused.text],
    ["The validator is busy", "too many requests a second"]);
  assert.equal(await answer(200, '{"result":7}'), 7);
});

process.exitCode = await runCases();
