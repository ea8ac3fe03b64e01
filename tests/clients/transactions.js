// Compares how the engine derives addresses and reads packets with what
// @solana/web3.js says, for random seeds and transactions.
//
//   usage: transactions.js PEER [SEED]
import {
  AddressLookupTableAccount,
  Keypair,
  PublicKey,
  Transaction,
  TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from "@solana/web3.js";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";

const ADDRESSES = 1000;
const PACKETS = 300;
const SHOWN = 5; // of the answers that differ

const seed = process.argv[3] ?? String(Date.now());
console.log(`seed: ${seed}`);

// Random bytes that the seed repeats.
let drawn = 0;
function bytes(count) {
  const parts = [];
  for (let size = 0; size < count; size += 32)
    parts.push(createHash("sha256").update(`${seed} ${drawn++}`).digest());
  return Buffer.concat(parts).subarray(0, count);
}
const below = (limit) => bytes(6).readUIntLE(0, 6) % limit;
const key = () => new PublicKey(bytes(32));
const hex = (data) => (data.length ? Buffer.from(data).toString("hex") : "-");

const questions = [];
const expected = [];
function expect(question, answer) {
  questions.push(question);
  expected.push(answer);
}

function addresses() {
  for (let i = 0; i < ADDRESSES; i++) {
    const program = key();
    const seeds = Array.from({ length: below(16) }, () => bytes(below(33)));
    const words = [program.toBase58(), ...seeds.map(hex)].join(" ");
    const [address, bump] = PublicKey.findProgramAddressSync(seeds, program);
    expect(`address ${words}`, `${address.toBase58()} ${bump}`);
    let created = "none";
    try {
      created = PublicKey.createProgramAddressSync(seeds, program).toBase58();
    } catch (error) {
      if (!String(error.message).includes("fall off the curve")) throw error;
    }
    expect(`create ${words}`, created);
  }
}

// Some instructions over few accounts, so that many of them repeat.
function instructions(payer, signers, others) {
  const programs = [key(), key()];
  return Array.from({ length: 1 + below(4) }, () => {
    const keys = Array.from({ length: below(5) }, () => {
      const isSigner = below(3) === 0;
      const from = isSigner ? [payer, ...signers].map((signer) => signer.publicKey) : others;
      return { pubkey: from[below(from.length)], isSigner, isWritable: below(2) === 0 };
    });
    const programId = programs[below(2)];
    return new TransactionInstruction({ programId, keys, data: bytes(below(60)) });
  });
}

function lookupTable(others) {
  const state = {
    deactivationSlot: 2n ** 64n - 1n,
    lastExtendedSlot: 0,
    lastExtendedSlotStartIndex: 0,
    addresses: [key(), ...others, key()],
  };
  const meta = Buffer.alloc(56);
  meta.writeUInt32LE(1, 0);
  meta.writeBigUInt64LE(state.deactivationSlot, 4);
  const data = Buffer.concat([meta, ...state.addresses.map((address) => address.toBuffer())]);
  return { account: new AddressLookupTableAccount({ key: key(), state }), data };
}

// What the library itself says of a compiled message.
function describe(version, message, loaded) {
  const keys = message.getAccountKeys({ accountKeysFromLookups: loaded });
  const words = [version, "good"];
  for (let i = 0; i < keys.length; i++) {
    const signer = message.isAccountSigner(i) ? "s" : "";
    const writable = message.isAccountWritable(i) ? "w" : "";
    words.push(`${keys.get(i).toBase58()}:${signer}${writable}`);
  }
  for (const compiled of message.compiledInstructions)
    words.push(
      `${compiled.programIdIndex}:${hex(compiled.accountKeyIndexes)}:${hex(compiled.data)}`,
    );
  return words.join(" ");
}

function packets() {
  for (let i = 0; i < PACKETS; i++) {
    const payer = Keypair.fromSeed(bytes(32));
    const signers = Array.from({ length: below(3) }, () => Keypair.fromSeed(bytes(32)));
    const others = Array.from({ length: 1 + below(6) }, key);
    const list = instructions(payer, signers, others);
    const named = list.flatMap((one) => one.keys).map((meta) => meta.pubkey.toBase58());
    const used = signers.filter((signer) => named.includes(signer.publicKey.toBase58()));
    const signing = [payer, ...used];
    const recentBlockhash = key().toBase58();
    if (i % 2 === 0) {
      const transaction = new Transaction({ feePayer: payer.publicKey, recentBlockhash });
      transaction.add(...list);
      transaction.sign(...signing);
      const message = transaction.compileMessage();
      expect(`packet ${hex(transaction.serialize())}`, describe("legacy", message));
      continue;
    }
    const table = lookupTable(others);
    const content = { payerKey: payer.publicKey, recentBlockhash, instructions: list };
    const message = new TransactionMessage(content).compileToV0Message([table.account]);
    const transaction = new VersionedTransaction(message);
    transaction.sign(signing);
    const loaded = message.resolveAddressTableLookups([table.account]);
    expect(
      `packet ${hex(transaction.serialize())} ${table.account.key.toBase58()} ${hex(table.data)}`,
      describe("v0", message, loaded),
    );
  }
}

addresses();
packets();
const peer = spawnSync(process.argv[2], { input: questions.join("\n") + "\n", maxBuffer: 1 << 28 });
if (peer.status !== 0) throw new Error(`${process.argv[2]} failed: ${peer.stderr}`);
const answers = peer.stdout.toString().trimEnd().split("\n");
let failed = 0;
expected.forEach((answer, i) => {
  if (answers[i] === answer) return;
  if (failed++ < SHOWN)
    console.log(`${questions[i]}\n  expected ${answer}\n  found    ${answers[i]}`);
});
console.log(`${expected.length - failed} passed, ${failed} failed`);
process.exitCode = failed || answers.length !== expected.length ? 1 : 0;
