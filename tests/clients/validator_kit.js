// The validator as @solana/kit sees it.
//
//   usage: validator_kit.js ERX MODEL
import {
  AccountRole,
  address,
  airdropFactory,
  appendTransactionMessageInstruction,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  generateKeyPairSigner,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  isSolanaError,
  lamports,
  pipe,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  SOLANA_ERROR__JSON_RPC__METHOD_NOT_FOUND,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
} from "@solana/kit";
import {
  assert,
  assertEqual,
  check,
  finish,
  refusal,
  startValidator,
  until,
} from "./validator.js";

const [erx, model] = process.argv.slice(2);
const SYSTEM = address("11111111111111111111111111111111");
const WORLD = address("WrLd111111111111111111111111111111111111111");
const validator = await startValidator(erx, model, ["bots=2"]);
const rpc = createSolanaRpc(validator.url);
const rpcSubscriptions = createSolanaRpcSubscriptions(validator.socketUrl);
const sendAndConfirm = sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions });
const airdrop = airdropFactory({ rpc, rpcSubscriptions });
const payer = await generateKeyPairSigner();
const other = await generateKeyPairSigner();

async function signTransfer(amount) {
  const { value: latest } = await rpc.getLatestBlockhash().send();
  const data = new Uint8Array(12);
  new DataView(data.buffer).setUint32(0, 2, true);
  new DataView(data.buffer).setBigUint64(4, BigInt(amount), true);
  const transfer = {
    programAddress: SYSTEM,
    accounts: [
      { address: payer.address, role: AccountRole.WRITABLE_SIGNER },
      { address: other.address, role: AccountRole.WRITABLE },
    ],
    data,
  };
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (m) => setTransactionMessageFeePayerSigner(payer, m),
    (m) => setTransactionMessageLifetimeUsingBlockhash(latest, m),
    (m) => appendTransactionMessageInstruction(transfer, m),
  );
  return await signTransactionMessageWithSigners(message);
}

await check("plain methods", async () => {
  assertEqual((await rpc.getVersion().send())["solana-core"], "4.0.0");
  assert((await rpc.getSlot().send()) > 0n);
  assertEqual(await rpc.getHealth().send(), "ok");
  assert((await rpc.getEpochInfo().send()).slotsInEpoch === 432000n);
  assertEqual(await rpc.getMinimumBalanceForRentExemption(100n).send(), 228n * 6960n);
});

await check("airdrop, transfer, confirm", async () => {
  await airdrop({
    commitment: "confirmed",
    recipientAddress: payer.address,
    lamports: lamports(3_000_000_000n),
  });
  assertEqual((await rpc.getBalance(payer.address).send()).value, 3_000_000_000n);
  const transaction = await signTransfer(1_000_000);
  await sendAndConfirm(transaction, { commitment: "confirmed" });
  assertEqual((await rpc.getBalance(other.address).send()).value, 1_000_000n);
  const found = await rpc
    .getTransaction(getSignatureFromTransaction(transaction), {
      maxSupportedTransactionVersion: 0,
      encoding: "base64",
    })
    .send();
  assertEqual(found.meta.err, null);
});

await check("accounts in every encoding", async () => {
  for (const encoding of ["base58", "base64", "base64+zstd", "jsonParsed"]) {
    const { value } = await rpc.getAccountInfo(other.address, { encoding }).send();
    assertEqual(value.lamports, 1_000_000n, encoding);
    assertEqual(value.rentEpoch, 18446744073709551615n, encoding);
  }
  const { value } = await rpc.getMultipleAccounts([payer.address, WORLD]).send();
  assertEqual(value[0].data[1], "base58");
});

await check("an account's notifications", async () => {
  const stop = new AbortController();
  const changes = await rpcSubscriptions
    .accountNotifications(other.address, { commitment: "confirmed", encoding: "base64" })
    .subscribe({ abortSignal: stop.signal });
  const told = (async () => {
    for await (const change of changes) return change;
  })();
  await sendAndConfirm(await signTransfer(5), { commitment: "confirmed" });
  assertEqual((await told).value.lamports, 1_000_005n);
  stop.abort();
});

await check("sessions of bots, by program", async () => {
  const stop = new AbortController();
  const changes = await rpcSubscriptions
    .programNotifications(WORLD, {
      commitment: "processed",
      encoding: "base64",
      filters: [{ dataSize: 256n }],
    })
    .subscribe({ abortSignal: stop.signal });
  let count = 0;
  const keys = new Set();
  for await (const { value } of changes) {
    keys.add(value.pubkey);
    if (++count === 60) break;
  }
  stop.abort();
  assertEqual(keys.size, 2);
});

await check("slots and logs", async () => {
  const stop = new AbortController();
  const slots = await rpcSubscriptions.slotNotifications().subscribe({ abortSignal: stop.signal });
  let last = 0n;
  let count = 0;
  for await (const { slot } of slots) {
    assert(slot > last);
    last = slot;
    if (++count === 10) break;
  }
  const logs = await rpcSubscriptions
    .logsNotifications("all")
    .subscribe({ abortSignal: stop.signal });
  const told = (async () => {
    for await (const entry of logs) return entry;
  })();
  const transaction = await signTransfer(1);
  await sendAndConfirm(transaction, { commitment: "confirmed" });
  assertEqual((await told).value.signature, getSignatureFromTransaction(transaction));
  stop.abort();
});

await check("a signature is told when it arrives, and when it has landed", async () => {
  const stop = new AbortController();
  const transaction = await signTransfer(6);
  const changes = await rpcSubscriptions
    .signatureNotifications(getSignatureFromTransaction(transaction), {
      commitment: "confirmed",
      enableReceivedNotification: true,
    })
    .subscribe({ abortSignal: stop.signal });
  const told = (async () => {
    const values = [];
    for await (const { value } of changes) if (values.push(value) === 2) return values;
  })();
  await rpc
    .sendTransaction(getBase64EncodedWireTransaction(transaction), { encoding: "base64" })
    .send();
  assertEqual(await told, ["receivedSignature", { err: null }]);
  stop.abort();
});

await check("a failing transaction has its cause and logs", async () => {
  const transaction = await signTransfer(9_000_000_000_000_000n);
  const error = await refusal(
    rpc
      .sendTransaction(getBase64EncodedWireTransaction(transaction), { encoding: "base64" })
      .send(),
  );
  assert(
    isSolanaError(error, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE),
    error,
  );
  assert(error.context.logs.length > 0);
  assert(String(error.cause).toLowerCase().includes("custom program error"), String(error.cause));
});

await check("a method that does not exist", async () => {
  const error = await refusal(rpc.getBlockProduction().send());
  assert(isSolanaError(error, SOLANA_ERROR__JSON_RPC__METHOD_NOT_FOUND), error);
});

await check("it stops in order", async () => {
  assertEqual(await validator.stop("SIGINT"), 0, validator.log());
});
finish();
