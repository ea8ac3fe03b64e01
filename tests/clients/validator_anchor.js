// The validator as @coral-xyz/anchor and the ephemeral rollups' SDK see it.
//
//   usage: validator_anchor.js ERX MODEL IDL.json
import anchor from "@coral-xyz/anchor";
import { ConnectionMagicRouter, getAuthToken } from "@magicblock-labs/ephemeral-rollups-sdk";
import { Connection, Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { readFileSync } from "node:fs";
import { createPrivateKey, sign } from "node:crypto";
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

const { AnchorError, AnchorProvider, BN, Program, Wallet } = anchor;
const [erx, model, idlFile] = process.argv.slice(2);
const validator = await startValidator(erx, model);
const connection = new Connection(validator.url, "confirmed");
const player1 = Keypair.generate();
const player2 = Keypair.generate();
const provider = new AnchorProvider(connection, new Wallet(player1), { commitment: "confirmed" });
const program = new Program(JSON.parse(readFileSync(idlFile)), provider);

for (const player of [player1, player2]) {
  const signature = await connection.requestAirdrop(player.publicKey, 2_000_000_000);
  await connection.confirmTransaction({ signature, ...(await connection.getLatestBlockhash()) });
}

const id = new BN(Date.now());
const session = world.sessionAddress(id.toString());
const create = (sessionId) =>
  program.methods.createSession(sessionId, 31, 2, 0, new BN(7)).accountsPartial({
    session: world.sessionAddress(sessionId.toString()),
    hiddenState: world.hiddenAddress(sessionId.toString()),
    inputBuffer: world.inputAddress(sessionId.toString()),
    manifest: world.manifestAddress(1),
    player1: player1.publicKey,
    systemProgram: SystemProgram.programId,
  });
const join = (player) =>
  program.methods.joinSession(1).accountsPartial({ session, player2: player });

await check("anchor: create, join, fetch, list, watch", async () => {
  await create(id).rpc();
  const simulated = await join(player2.publicKey).simulate();
  assert(simulated.raw.some((line) => line.includes("success")));
  const changes = program.account.sessionState.subscribe(session, "processed");
  const told = new Promise((resolve) => changes.once("change", resolve));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await join(player2.publicKey).signers([player2]).rpc();
  assertEqual((await told).status, world.STATUS.active);
  await until(
    "frames",
    async () => (await program.account.sessionState.fetch(session)).frame > 10,
  );
  const state = await program.account.sessionState.fetch(session);
  assert(state.player2.equals(player2.publicKey));
  assertEqual((await program.account.sessionState.all()).length, 1);
  await program.account.sessionState.unsubscribe(session);
});

await check("anchor: an error is an AnchorError", async () => {
  const error = await refusal(join(player2.publicKey).signers([player2]).rpc());
  assert(error instanceof AnchorError, error.constructor.name + ": " + error);
  assertEqual(error.error.errorCode.code, "InvalidStateTransition");
  assertEqual(error.error.errorCode.number, 6000);
});

const router = new ConnectionMagicRouter(validator.url, { wsEndpoint: validator.socketUrl });

await check("router: validator, delegation", async () => {
  const routes = await connection._rpcRequest("getRoutes", []);
  assertEqual(routes.result.length, 1);
  const closest = await router.getClosestValidator();
  assertEqual(closest.identity, routes.result[0].identity);
  assertEqual((await router.getDelegationStatus(session)).isDelegated, true);
  assertEqual((await router.getDelegationStatus(Keypair.generate().publicKey)).isDelegated, false);
});

await check("router: a transaction", async () => {
  const transaction = new Transaction().add(
    SystemProgram.transfer({
      fromPubkey: player1.publicKey,
      toPubkey: player2.publicKey,
      lamports: 7,
    }),
  );
  const before = await connection.getBalance(player2.publicKey);
  const signature = await router.sendAndConfirmTransaction(transaction, [player1]);
  assert(signature.length > 60);
  assertEqual(await connection.getBalance(player2.publicKey), before + 7);
});

await check("router: a token for a signed challenge", async () => {
  const pkcs8 = Buffer.concat([
    Buffer.from("302e020100300506032b657004220420", "hex"),
    player1.secretKey.subarray(0, 32),
  ]);
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const token = await getAuthToken(validator.url, player1.publicKey, async (message) =>
    sign(null, message, key),
  );
  assert(token.token.length > 40 && token.expiresAt > Date.now());
  const refused = await refusal(
    getAuthToken(validator.url, player1.publicKey, async () => new Uint8Array(64)),
  );
  assert(refused.message.includes("signature must be that of the challenge"), refused.message);
});

await check("a token needs a challenge of one's own", async () => {
  const ask = async (player) => {
    const response = await fetch(`${validator.url}/auth/challenge?pubkey=${player.publicKey}`);
    return (await response.json()).challenge;
  };
  const login = async (pubkey, challenge) => {
    const body = JSON.stringify({ pubkey, challenge, signature: "1".repeat(64) });
    const response = await fetch(`${validator.url}/auth/login`, { method: "POST", body });
    return [response.status, (await response.json()).error];
  };
  const own = player1.publicKey.toBase58();
  const foreign = await ask(player2);
  const made = foreign.slice(0, -1) + (foreign.endsWith("2") ? "3" : "2");
  for (const challenge of [foreign, made, "", "0"]) {
    const [status, error] = await login(own, challenge);
    assertEqual(status, 401);
    assert(error.includes("challenge must be one from /auth/challenge"), error);
  }
  assertEqual((await login("no key", foreign))[0], 401);
  const response = await fetch(`${validator.url}/auth/challenge?pubkey=none`);
  assertEqual(response.status, 400);
});

await check("it stops in order", async () => {
  assertEqual(await validator.stop("SIGTERM"), 0, validator.log());
});
finish();
