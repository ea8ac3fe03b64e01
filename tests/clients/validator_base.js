// The validator over a base layer: clones, follows and settles, whatever the base
// layer does.
//
//   usage: validator_base.js ERX MODEL
import {
  Connection,
  Keypair,
  SystemProgram,
  Transaction,
  TransactionInstruction,
} from "@solana/web3.js";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseChain, DELEGATION, recordAddress } from "./base_chain.js";
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
const WAIT_MS = 30_000;
const HIDDEN_HEADER = 16;
const [identity, payer, other, elsewhere, stranger] = Array.from({ length: 5 }, () =>
  Keypair.generate(),
);
const directory = mkdtempSync(join(tmpdir(), "erx-base-"));
const identityFile = join(directory, "identity.json");
writeFileSync(identityFile, JSON.stringify([...identity.secretKey]));

// A free pair of ports, which the chain keeps while it is away.
const chain = new BaseChain();
await chain.start();
await chain.stop();

const settings = [
  `base_url=${chain.url}`,
  `identity=${identityFile}`,
  "workers=1",
  "sessions_max=16",
];
let validator = await startIn(directory, erx, model, settings);
let connection = new Connection(validator.url, "confirmed");
chain.delegate(payer.publicKey, identity.publicKey, { lamports: 5_000_000_000 });
chain.delegate(other.publicKey, identity.publicKey, { lamports: 1_000_000_000 });

async function restart(more = []) {
  connection._rpcWebSocket.setAutoReconnect(false);
  connection._rpcWebSocket.close();
  validator = await startIn(directory, erx, model, [...settings, ...more]);
  connection = new Connection(validator.url, "confirmed");
}

async function metric(name) {
  const text = await (await fetch(`${validator.url}/metrics`)).text();
  return Number(text.match(new RegExp(`^${name} (\\S+)$`, "m"))[1]);
}

async function send(instructions, signers = [payer]) {
  const transaction = new Transaction().add(...[instructions].flat());
  return await sendAndAsk(connection, transaction, signers);
}

const transfer = (to, lamports) =>
  SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: to, lamports });

// Names an account read-only.
const name = (key, text) =>
  new TransactionInstruction({
    programId: SystemProgram.programId,
    keys: [
      ...transfer(other.publicKey, text).keys,
      { pubkey: key, isSigner: false, isWritable: false },
    ],
    data: transfer(other.publicKey, text).data,
  });

const here = async (key) => await connection.getAccountInfo(key, "processed");

async function startSession(id, maxFrames) {
  await send(world.createSession(id, 1, payer.publicKey, { maxFrames }));
  await send(world.joinSession(id, other.publicKey), [payer, other]);
}

const isEnded = async (id) =>
  (await here(world.sessionAddress(id)))?.data[8] === world.STATUS.ended;
const noteOf = (id) =>
  chain.notes.filter((note) => note.account === world.sessionAddress(id).toBase58()).at(-1);
const settledAll = async () => (await metric("erx_settlements_pending")) === 0;

await check("a base layer that is not there holds up nothing but what needs it", async () => {
  assertEqual(await connection._rpcRequest("getHealth", []).then(({ result }) => result), "ok");
  await until("it is known to be away", async () => (await metric("erx_base_reachable")) === 0);
  const waiting = send(transfer(other.publicKey, 1000));
  const before = await connection.getSlot("processed");
  await until(
    "blocks are sealed",
    async () => (await connection.getSlot("processed")) > before + 30,
  );
  await chain.start();
  await waiting;
  await until("it is known to be back", async () => (await metric("erx_base_reachable")) === 1);
});

await check(
  "accounts that are delegated here are cloned with their owner and written",
  async () => {
    assertEqual(await connection.getBalance(other.publicKey), 1_000_001_000);
    assert((await here(payer.publicKey)).owner.equals(SystemProgram.programId));
    await until(
      "they are followed no longer",
      () => !chain.follows(payer.publicKey) && !chain.follows(other.publicKey),
    );
  },
);

await check("accounts that are delegated elsewhere are read, not written", async () => {
  chain.delegate(elsewhere.publicKey, stranger.publicKey, { lamports: 77 });
  const refused = await refusal(send(transfer(elsewhere.publicKey, 1)));
  assert(refused.message.includes("writable account that cannot be written"), refused.message);
  await send(name(elsewhere.publicKey, 2));
  assertEqual(await connection.getBalance(elsewhere.publicKey), 77);
  const { result } = await connection._rpcRequest("getDelegationStatus", [
    elsewhere.publicKey.toBase58(),
  ]);
  assertEqual(result.delegationRecord.authority, stranger.publicKey.toBase58());
});

await check("accounts that are not delegated follow the base layer", async () => {
  const data = Buffer.from("first");
  chain.put(stranger.publicKey, { lamports: 5, data });
  await send(name(stranger.publicKey, 3));
  assertEqual((await here(stranger.publicKey)).data.toString(), "first");
  await until("it is subscribed to", () => chain.follows(stranger.publicKey));
  chain.put(stranger.publicKey, { lamports: 6, data: Buffer.from("second, and longer") });
  await until("it follows", async () => (await here(stranger.publicKey)).lamports === 6);
  assertEqual((await here(stranger.publicKey)).data.toString(), "second, and longer");
  const refused = await refusal(send(transfer(stranger.publicKey, 1)));
  assert(refused.message.includes("writable account that cannot be written"), refused.message);
});

await check("an account that is delegated here later becomes writable", async () => {
  chain.delegate(stranger.publicKey, identity.publicKey, { lamports: 1_000_000 });
  await until("it is known", async () => (await here(stranger.publicKey)).lamports === 1_000_000);
  await send(transfer(stranger.publicKey, 11));
  assertEqual(await connection.getBalance(stranger.publicKey), 1_000_011);
});

await check("a followed account that goes is gone here", async () => {
  const key = Keypair.generate().publicKey;
  chain.put(key, { lamports: 9 });
  await send(name(key, 4));
  await until("it is subscribed to", () => chain.follows(key));
  chain.put(key, null);
  await until("it is gone", async () => (await here(key)) === null);
});

await check("an account that does not exist is made here", async () => {
  const key = Keypair.generate().publicKey;
  await send(transfer(key, 900_000));
  assertEqual(await connection.getBalance(key), 900_000);
  await until("nobody follows it", () => !chain.follows(key));
});

await check("a session that ends is settled, and then released", async () => {
  const [id, key] = [1, world.sessionAddress(1)];
  await startSession(id, 30);
  await until("it ends", () => isEnded(id));
  const state = (await here(key)).data;
  const hidden = (await here(world.hiddenAddress(id))).data;
  await until("it is settled", () => noteOf(id)?.final === true);
  const note = noteOf(id);
  assertEqual(note.state, state.toString("base64"));
  assertEqual(note.hiddenSize, hidden.length - HIDDEN_HEADER);
  const digest = createHash("sha256").update(hidden.subarray(HIDDEN_HEADER)).digest("base64");
  assertEqual(note.hiddenHash, digest);
  await until("nothing waits", settledAll);
  await until("it can be closed", () =>
    send(world.closeSession(id, payer.publicKey)).then(
      () => true,
      () => false,
    ),
  );
  assertEqual(await here(key), null);
});

await check("a delegated SessionState is committed and given back", async () => {
  const [id, key] = [2, world.sessionAddress(2)];
  const data = Buffer.alloc(256);
  chain.delegate(key, identity.publicKey, { owner: world.WORLD, data, lamports: 2_672_640 });
  chain.holds = true;
  await startSession(id, 30);
  await until("it ends", () => isEnded(id));
  const refused = await refusal(send(world.closeSession(id, payer.publicKey)));
  assert(refused.message.includes("writable account that cannot be written"), refused.message);
  chain.holds = false;
  const state = (await here(key)).data;
  await until("it is settled", () => chain.get(key).owner.equals(world.WORLD));
  assert(chain.get(key).data.equals(state));
  assertEqual(noteOf(id).state, undefined);
  await until("it can be closed", () =>
    send(world.closeSession(id, payer.publicKey)).then(
      () => true,
      () => false,
    ),
  );
});

await check("a session that is closed while it is played is settled for good", async () => {
  const [id, key] = [3, world.sessionAddress(3)];
  chain.delegate(key, identity.publicKey, { owner: world.WORLD, data: Buffer.alloc(256) });
  await startSession(id, 0);
  await until("it is played", async () => (await here(key)).data.readUInt32LE(9) > 5);
  await send(world.closeSession(id, payer.publicKey));
  await until("it is settled", () => chain.get(key).owner.equals(world.WORLD));
  assert(chain.get(key).data.readUInt32LE(9) > 5);
  await until("nothing waits", settledAll);
});

await check("a base layer that goes away and comes back has missed nothing", async () => {
  const key = Keypair.generate().publicKey;
  chain.put(key, { lamports: 1 });
  await send(name(key, 5));
  await until("it is subscribed to", () => chain.follows(key));
  await startSession(4, 120); // it ends while the base layer is away
  await chain.stop();
  chain.put(key, { lamports: 2 });
  await until("it ends", () => isEnded(4));
  await until("it waits", async () => (await metric("erx_settlements_pending")) === 1);
  await until("it is known to be away", async () => (await metric("erx_base_reachable")) === 0);
  await chain.start();
  await until("the account follows", async () => (await here(key)).lamports === 2, WAIT_MS);
  await until("the session is settled", () => noteOf(4)?.final === true, WAIT_MS);
  await until("it is followed again", () => chain.follows(key), WAIT_MS);
  chain.put(key, { lamports: 3 });
  await until("the account follows again", async () => (await here(key)).lamports === 3);
});

await check("without a WebSocket what is followed is looked at now and then", async () => {
  const key = Keypair.generate().publicKey;
  chain.put(key, { lamports: 1 });
  await send(name(key, 8));
  await until("it is subscribed to", () => chain.follows(key));
  chain.deaf = true;
  chain.dropSockets();
  chain.put(key, { lamports: 2 });
  await until("it follows", async () => (await here(key)).lamports === 2);
  chain.deaf = false;
  await until("it is subscribed to again", () => chain.follows(key), WAIT_MS);
});

await check("a delegation record that is none makes an account read-only", async () => {
  const key = Keypair.generate().publicKey;
  chain.delegate(key, identity.publicKey, { lamports: 10 });
  chain.put(recordAddress(key), { lamports: 1, owner: DELEGATION, data: Buffer.alloc(95, 100) });
  const refused = await refusal(send(transfer(key, 1)));
  assert(refused.message.includes("writable account that cannot be written"), refused.message);
  chain.delegate(key, identity.publicKey, { lamports: 10 });
  await until("it is writable", () =>
    send(transfer(key, 2)).then(
      () => true,
      () => false,
    ),
  );
});

for (const mode of ["malformed", "failing"])
  await check(`${mode} answers are asked for again`, async () => {
    const key = Keypair.generate().publicKey;
    chain.delegate(key, identity.publicKey, { lamports: 10 });
    chain.mode = mode;
    const failures = await metric("erx_base_failures_total");
    const waiting = send(transfer(key, 1));
    await until("it fails", async () => (await metric("erx_base_failures_total")) > failures + 1);
    chain.mode = "good";
    await waiting;
    assertEqual(await connection.getBalance(key), 11);
  });

await check("slow answers hold up nobody else", async () => {
  const key = Keypair.generate().publicKey;
  chain.delegate(key, identity.publicKey, { lamports: 10 });
  chain.delayMs = 1500;
  let isThere = false;
  const waiting = send(transfer(key, 1)).then(() => (isThere = true));
  await send(transfer(other.publicKey, 6));
  assert(!isThere, "the other one waited");
  await waiting;
  chain.delayMs = 0;
  assertEqual(await connection.getBalance(key), 11);
});

await check("a session is settled as it stands, so often as is asked for", async () => {
  const [id, key] = [6, world.sessionAddress(6)];
  assertEqual(await validator.stop(), 0, validator.log());
  await restart(["settle_interval_ms=200"]);
  chain.delegate(key, identity.publicKey, { owner: world.WORLD, data: Buffer.alloc(256) });
  await startSession(id, 0);
  const frame = () => chain.get(key).data.readUInt32LE(9);
  await until("it is settled", () => frame() > 0);
  const before = frame();
  await until("it is settled again", () => frame() > before);
  assert(!noteOf(id).final && chain.get(key).owner.equals(DELEGATION), "it is still played");
  await send(world.closeSession(id, payer.publicKey));
  await until("it is given back", () => chain.get(key).owner.equals(world.WORLD));
  await until("nothing waits", settledAll);
});

await check("lamports of delegated accounts are settled as well", async () => {
  const key = Keypair.generate().publicKey;
  chain.delegate(key, identity.publicKey, { lamports: 500, data: Buffer.from("kept") });
  await send(transfer(key, 20));
  await until("it is settled", () => chain.get(key).lamports === 520);
  assertEqual(chain.get(key).data.toString(), "kept");
  assert(chain.get(key).owner.equals(DELEGATION), "it stays delegated");
  await until("nothing waits", settledAll);
  const notes = chain.notes.length;
  const packets = chain.packets.length;
  await send(transfer(key, 30));
  await until("it is settled again", () => chain.get(key).lamports === 550);
  await until("nothing waits", settledAll);
  assert(chain.packets.length >= packets + 2, "payer and receiver");
  assertEqual(chain.notes.length, notes);
  assertEqual(await connection.getBalance(payer.publicKey), chain.get(payer.publicKey).lamports);
});

await check("lamports that changed before a stop or a kill are settled", async () => {
  assertEqual(await validator.stop(), 0, validator.log());
  await restart();
  const key = Keypair.generate().publicKey;
  chain.delegate(key, identity.publicKey, { lamports: 500 });
  await send(transfer(key, 1));
  assertEqual(chain.get(key).lamports, 500);
  assertEqual(await validator.stop(), 0, validator.log());
  assertEqual(chain.get(key).lamports, 501);
  await restart();
  await send(transfer(key, 2));
  await validator.stop("SIGKILL");
  assertEqual(chain.get(key).lamports, 501);
  await restart();
  await until("it is settled", () => chain.get(key).lamports === 503);
  await until("nothing waits", settledAll);
});

await check("a session is settled by the next life of the validator", async () => {
  const followed = Keypair.generate().publicKey;
  chain.put(followed, { lamports: 1 });
  await send(name(followed, 7));
  await startSession(5, 0);
  await chain.stop();
  await send(world.closeSession(5, payer.publicKey));
  await until("it waits", async () => (await metric("erx_settlements_pending")) === 1);
  assertEqual(await validator.stop(), 0, validator.log());
  assert(validator.log().includes("settlements-kept"), validator.log());
  await chain.start();
  await restart();
  await until("it is settled", () => noteOf(5)?.final === true, WAIT_MS);
  await until("nothing waits", settledAll, WAIT_MS);
  await until("what was followed is followed", () => chain.follows(followed), WAIT_MS);
  chain.put(followed, { lamports: 2 });
  await until("and changes", async () => (await here(followed))?.lamports === 2);
});

await check("addresses that are none are named", async () => {
  for (const [setting, value] of [
    ["base_url", "ftp://x"],
    ["base_websocket_url", "http://x"],
  ]) {
    const refused = await refusal(
      startIn(mkdtempSync(join(directory, "none-")), erx, model, [
        ...settings,
        `${setting}=${value}`,
      ]),
    );
    assert(refused.message.includes(`${setting}: '${value}'`), refused.message);
  }
});

await check("it stops in order", async () => {
  assertEqual(await validator.stop(), 0, validator.log());
  await chain.stop();
});
rmSync(directory, { recursive: true, force: true });
finish();
