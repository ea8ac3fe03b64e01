// The validator as @solana/web3.js sees it: the life of a session, and every
// error that a client shows to people.
//
//   usage: validator_web3.js ERX MODEL
import {
  ComputeBudgetProgram,
  Connection,
  Keypair,
  PublicKey,
  SendTransactionError,
  SystemProgram,
  Transaction,
  TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
  sendAndConfirmTransaction,
} from "@solana/web3.js";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  assert,
  assertEqual,
  check,
  finish,
  refusal,
  startValidator,
  until,
} from "./validator.js";
import * as world from "./world.js";

const [erx, model] = process.argv.slice(2);
const FRAMES = 600;
const validator = await startValidator(erx, model);
const connection = new Connection(validator.url, "confirmed");
const [payer, other] = [Keypair.generate(), Keypair.generate()];

const send = (instructions, signers, options) =>
  sendAndConfirmTransaction(
    connection,
    new Transaction().add(...[instructions].flat()),
    signers,
    options,
  );
const transfer = (lamports) =>
  SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: other.publicKey, lamports });

async function airdrop(key, lamports) {
  const signature = await connection.requestAirdrop(key, lamports);
  const latest = await connection.getLatestBlockhash();
  await connection.confirmTransaction({ signature, ...latest }, "confirmed");
  return signature;
}

await check("connect", async () => {
  const version = await connection.getVersion();
  assertEqual(version["solana-core"], "4.0.0");
  const info = await connection.getEpochInfo();
  assert(info.absoluteSlot > 0 && info.blockHeight > 0);
  assert((await connection.getGenesisHash()).length >= 32);
  assertEqual(await connection.getMinimumBalanceForRentExemption(256), (256 + 128) * 6960);
  const slot = await connection.getSlot("processed");
  await until("the slot grows", async () => (await connection.getSlot("processed")) > slot);
});

await check("airdrop", async () => {
  await airdrop(payer.publicKey, 5_000_000_000);
  await airdrop(other.publicKey, 1_000_000_000);
  assertEqual(await connection.getBalance(payer.publicKey), 5_000_000_000);
  const refused = await refusal(
    connection.requestAirdrop(payer.publicKey, Number.MAX_SAFE_INTEGER),
  );
  assert(refused.message.includes("airdrop request failed"), refused.message);
});

await check("transfer, its notifications and its history", async () => {
  const accounts = [];
  const logs = [];
  const programs = [];
  const a = connection.onAccountChange(
    other.publicKey,
    (...told) => accounts.push(told),
    "confirmed",
  );
  const l = connection.onLogs("all", (...told) => logs.push(told), "confirmed");
  const p = connection.onProgramAccountChange(
    SystemProgram.programId,
    (told) => programs.push(told),
    "processed",
  );
  await until("subscribed", () => connection._rpcWebSocketConnected);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const signature = await send(transfer(1000), [payer]);
  await until("notified", () => accounts.length > 0 && logs.length > 0 && programs.length > 1);
  assertEqual(accounts[0][0].lamports, 1_000_001_000);
  assertEqual(logs[0][0].signature, signature);
  assertEqual(logs[0][0].err, null);
  assert(logs[0][0].logs.some((line) => line.endsWith("success")));
  await Promise.all([
    connection.removeAccountChangeListener(a),
    connection.removeOnLogsListener(l),
    connection.removeProgramAccountChangeListener(p),
  ]);
  const status = await connection.getSignatureStatus(signature, {
    searchTransactionHistory: true,
  });
  assertEqual(status.value.confirmationStatus, "finalized");
  const found = await connection.getTransaction(signature, { maxSupportedTransactionVersion: 0 });
  assertEqual(found.meta.err, null);
  assertEqual(found.meta.postBalances[1] - found.meta.preBalances[1], 1000);
  assertEqual(found.transaction.message.accountKeys.length, 3);
  const parsed = await connection.getParsedTransaction(signature);
  assert(parsed.transaction.message.accountKeys[0].signer);
  const [instruction] = parsed.transaction.message.instructions;
  assertEqual([instruction.program, instruction.parsed.type], ["system", "transfer"]);
  assertEqual(instruction.parsed.info, {
    source: payer.publicKey.toBase58(),
    destination: other.publicKey.toBase58(),
    lamports: 1000,
  });
  const list = await connection.getSignaturesForAddress(payer.publicKey, { limit: 2 });
  assertEqual(list[0].signature, signature);
  assertEqual(list.length, 2);
  const before = await connection.getSignaturesForAddress(payer.publicKey, {
    before: list[1].signature,
  });
  assert(
    before.every(
      (entry) => entry.signature !== signature && entry.signature !== list[1].signature,
    ),
  );
});

await check("versioned transaction, compute budget, memo", async () => {
  const latest = await connection.getLatestBlockhash();
  const memo = new TransactionInstruction({
    programId: new PublicKey("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"),
    keys: [],
    data: Buffer.from("grüezi \u0001"),
  });
  const message = new TransactionMessage({
    payerKey: payer.publicKey,
    recentBlockhash: latest.blockhash,
    instructions: [
      ComputeBudgetProgram.setComputeUnitLimit({ units: 100_000 }),
      memo,
      transfer(5),
    ],
  }).compileToV0Message();
  const transaction = new VersionedTransaction(message);
  transaction.sign([payer]);
  assertEqual((await connection.getFeeForMessage(message)).value, 0);
  assert((await connection.isBlockhashValid(latest.blockhash)).value);
  const simulated = await connection.simulateTransaction(transaction, { sigVerify: true });
  assertEqual(simulated.value.err, null);
  assert(simulated.value.unitsConsumed > 0);
  const signature = await connection.sendTransaction(transaction);
  await connection.confirmTransaction({ signature, ...latest });
  const refused = await refusal(connection.getTransaction(signature));
  assert(refused.message.includes("maxSupportedTransactionVersion"), refused.message);
  const found = await connection.getTransaction(signature, { maxSupportedTransactionVersion: 0 });
  assertEqual(found.version, 0);
  const parsed = await connection.getParsedTransaction(signature, {
    maxSupportedTransactionVersion: 0,
  });
  const shown = parsed.transaction.message.instructions.map((each) => each.program ?? null);
  assertEqual(shown, [null, "spl-memo", "system"]);
  assertEqual(parsed.transaction.message.instructions[1].parsed, "grüezi \u0001");
  const [entry] = await connection.getSignaturesForAddress(payer.publicKey, { limit: 1 });
  assert(entry.memo.includes("grüezi"), entry.memo);
});

await check("simulation with accounts and another blockhash", async () => {
  const message = new TransactionMessage({
    payerKey: payer.publicKey,
    recentBlockhash: PublicKey.default.toBase58(),
    instructions: [transfer(77)],
  }).compileToV0Message();
  const transaction = new VersionedTransaction(message);
  const before = await connection.getBalance(other.publicKey);
  const { value } = await connection.simulateTransaction(transaction, {
    replaceRecentBlockhash: true,
    accounts: { encoding: "base64", addresses: [other.publicKey.toBase58()] },
  });
  assertEqual(value.err, null);
  assertEqual(value.accounts[0].lamports, before + 77);
  assertEqual(await connection.getBalance(other.publicKey), before);
  assertEqual(value.innerInstructions ?? null, null);
  const inner = await connection.simulateTransaction(transaction, {
    replaceRecentBlockhash: true,
    innerInstructions: true,
  });
  assertEqual(inner.value.innerInstructions, []);
});

await check("programs are there, and executable", async () => {
  for (const program of [world.WORLD, SystemProgram.programId, ComputeBudgetProgram.programId]) {
    const info = await connection.getAccountInfo(program);
    assert(info.executable && info.lamports > 0, program.toBase58());
  }
  const filters = [
    { memcmp: { offset: 0, bytes: [...Buffer.from("5173a3c2fd5a7627", "hex")] } },
  ];
  assertEqual((await connection.getProgramAccounts(world.WORLD, { filters })).length, 0);
});

await check("createAccount, allocate, assign", async () => {
  const account = Keypair.generate();
  const lamports = await connection.getMinimumBalanceForRentExemption(40);
  await send(
    SystemProgram.createAccount({
      fromPubkey: payer.publicKey,
      newAccountPubkey: account.publicKey,
      lamports,
      space: 40,
      programId: world.WORLD,
    }),
    [payer, account],
  );
  const info = await connection.getAccountInfo(account.publicKey);
  assertEqual(info.data.length, 40);
  assert(info.owner.equals(world.WORLD));
  const second = Keypair.generate();
  await airdrop(second.publicKey, lamports);
  await send(
    [
      SystemProgram.allocate({ accountPubkey: second.publicKey, space: 24 }),
      SystemProgram.assign({ accountPubkey: second.publicKey, programId: world.WORLD }),
    ],
    [payer, second],
  );
  const filters = [{ dataSize: 24 }];
  const found = await connection.getProgramAccounts(world.WORLD, { filters });
  assertEqual(found.length, 1);
  assert(found[0].pubkey.equals(second.publicKey));
});

await check("a model is uploaded in chunks, and played", async () => {
  const keypair = join(mkdtempSync(join(tmpdir(), "erx-upload-")), "keypair.json");
  writeFileSync(keypair, JSON.stringify([...payer.secretKey]));
  const upload = () =>
    spawnSync(erx, ["upload", model, "--url", validator.url, "--keypair", keypair], {
      encoding: "utf8",
    });
  const first = upload();
  assertEqual(first.status, 0, first.stderr);
  const again = upload();
  assert(again.stdout.includes(" 0 transactions"), again.stdout);
  rmSync(dirname(keypair), { recursive: true });
  const played = BigInt(Date.now()) * 2n;
  await send(world.createSession(played, 2, payer.publicKey), [payer]);
  await send(world.joinSession(played, other.publicKey), [payer, other]);
  await until("frames", async () => {
    const { data } = await connection.getAccountInfo(world.sessionAddress(played), "processed");
    return world.readSession(data).frame > 5;
  });
});

const id = BigInt(Date.now());
const session = world.sessionAddress(id);

await check(
  "a session: create, join, play from two keypairs, close, read the result",
  async () => {
    const states = [];
    const slots = [];
    await send(world.createSession(id, 1, payer.publicKey, { maxFrames: FRAMES }), [payer]);
    assertEqual(
      world.readSession((await connection.getAccountInfo(session)).data).status,
      world.STATUS.waiting,
    );
    const watched = connection.onAccountChange(
      session,
      (account, context) => {
        states.push(world.readSession(account.data));
        slots.push(context.slot);
      },
      "processed",
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    await send(world.joinSession(id, other.publicKey), [payer, other]);
    let sequence = 1;
    const playing = setInterval(async () => {
      const { blockhash } = await connection.getLatestBlockhash("processed");
      for (const [player, stickX] of [
        [payer, 80],
        [other, -80],
      ]) {
        const transaction = new Transaction({
          feePayer: player.publicKey,
          recentBlockhash: blockhash,
        });
        transaction.add(world.submitInput(id, player.publicKey, sequence, { stickX }));
        transaction.sign(player);
        connection
          .sendRawTransaction(transaction.serialize(), { skipPreflight: true })
          .catch(() => {});
      }
      sequence++;
    }, 100);
    const ended = () => states.at(-1)?.status === world.STATUS.ended;
    await until("the session ends", ended, 120_000).finally(() => clearInterval(playing));
    const frames = states.map((state) => state.frame).filter((frame) => frame > 0);
    assertEqual(frames.at(-1), FRAMES);
    assert(
      frames.every((frame, i) => i === 0 || frame >= frames[i - 1]),
      "frames go back",
    );
    assert(new Set(frames).size > FRAMES * 0.9, `only ${new Set(frames).size} frames were told`);
    assert(
      slots.every((slot, i) => i === 0 || slot >= slots[i - 1]),
      "slots go back",
    );
    const moved = states.at(-1).players.some((player, i) => player.x !== [-30, 30][i]);
    assert(moved, "nobody moved");
    await connection.removeAccountChangeListener(watched);
    await send(world.closeSession(id, payer.publicKey), [payer]);
    await until("settled", async () => (await connection.getAccountInfo(session)) !== null);
    const settled = world.readSession((await connection.getAccountInfo(session)).data);
    assertEqual(settled.frame, FRAMES);
    assertEqual(settled.status, world.STATUS.ended);
  },
);

await check("a program's error has its name, number and logs", async () => {
  const seated = id + 1n;
  await send(world.createSession(seated, 1, payer.publicKey), [payer]);
  const error = await refusal(send(world.joinSession(seated, payer.publicKey), [payer]));
  assert(error instanceof SendTransactionError, error.constructor.name);
  assert(error.message.includes("custom program error: 0x1771"), error.message);
  const logs = error.logs ?? (await error.getLogs(connection));
  assert(
    logs.some((line) => line.includes("AnchorError") && line.includes("CannotJoinOwnSession")),
    logs.join("\n"),
  );
});

const raw = async (transaction, options) =>
  await connection.sendRawTransaction(transaction.serialize(), options);
async function signed(instruction, { blockhash, signers = [payer] } = {}) {
  const recentBlockhash = blockhash ?? (await connection.getLatestBlockhash()).blockhash;
  const transaction = new Transaction({ feePayer: payer.publicKey, recentBlockhash }).add(
    instruction,
  );
  transaction.sign(...signers);
  return transaction;
}

await check("not enough lamports", async () => {
  const error = await refusal(raw(await signed(transfer(9e15))));
  assert(error.message.includes("custom program error: 0x1"), error.message);
  assert(
    error.logs.some((line) => line.includes("insufficient lamports")),
    error.logs.join("\n"),
  );
});

await check("a blockhash that nobody knows", async () => {
  const error = await refusal(
    raw(await signed(transfer(1), { blockhash: Keypair.generate().publicKey.toBase58() })),
  );
  assert(error.message.includes("Blockhash not found"), error.message);
});

await check("what is sent on top of what has no block yet", async () => {
  const fresh = Keypair.generate();
  const give = await signed(
    SystemProgram.transfer({
      fromPubkey: payer.publicKey,
      toPubkey: fresh.publicKey,
      lamports: 5000,
    }),
  );
  const takeBack = (lamports) =>
    signed(
      SystemProgram.transfer({
        fromPubkey: fresh.publicKey,
        toPubkey: payer.publicKey,
        lamports,
      }),
      { signers: [payer, fresh] },
    );
  const [some, rest, more] = [await takeBack(2000), await takeBack(3000), await takeBack(1)];
  await raw(give);
  const copy = await refusal(raw(give));
  assert(copy.message.includes("already been processed"), copy.message);
  await raw(some);
  const last = await raw(rest);
  await until("landed", async () => (await connection.getSignatureStatus(last)).value !== null);
  assertEqual((await connection.getSignatureStatus(last)).value.err, null);
  const empty = await refusal(raw(more));
  assert(empty.message.includes("custom program error: 0x1"), empty.message);
  const once = await signed(transfer(4));
  const copies = await Promise.allSettled([1, 2, 3].map(() => raw(once)));
  assertEqual(copies.filter(({ status }) => status === "fulfilled").length, 1);
});

await check("the same transaction twice", async () => {
  const transaction = await signed(transfer(3));
  const signature = await raw(transaction);
  await until(
    "landed",
    async () => (await connection.getSignatureStatus(signature)).value !== null,
  );
  const error = await refusal(raw(transaction));
  assert(error.message.includes("already been processed"), error.message);
  // Who subscribes late is told at once.
  const told = await new Promise((resolve) =>
    connection.onSignature(signature, (result) => resolve(result), "confirmed"),
  );
  assertEqual(told.err, null);
});

await check("a bad signature", async () => {
  const bytes = (await signed(transfer(4))).serialize();
  bytes[10] ^= 1;
  const error = await refusal(connection.sendRawTransaction(bytes));
  assert(error.message.includes("signature verification failure"), error.message);
});

await check("a program that does not exist", async () => {
  const programId = Keypair.generate().publicKey;
  const error = await refusal(
    raw(await signed(new TransactionInstruction({ programId, keys: [], data: Buffer.alloc(0) }))),
  );
  assert(error.message.includes("program that does not exist"), error.message);
});

await check("failing without preflight is told by its status", async () => {
  const signature = await raw(await signed(transfer(9e15)), { skipPreflight: true });
  await until(
    "landed",
    async () => (await connection.getSignatureStatus(signature)).value !== null,
  );
  const { value } = await connection.getSignatureStatus(signature);
  assertEqual(value.err, { InstructionError: [0, { Custom: 1 }] });
});

await check("it stops in order", async () => {
  assertEqual(await validator.stop("SIGTERM"), 0, validator.log());
});
finish();
