/* What this page asks of a validator: sessions, models, transactions. */
import * as base58 from "./base58.js";
import { equal, fromBase64 } from "./bytes.js";
import { Refusal, TransactionError, isStaleBlockhash } from "./errors.js";
import * as program from "./program.js";
import { Rpc, RpcError } from "./rpc.js";
import { Socket } from "./socket.js";
import { signTransaction } from "./transaction.js";

const BLOCKHASH_MS = 10000; /* how long one is used; it is valid for far longer */
const CONFIRM_MS = 10000;
const AIRDROP_LAMPORTS = 10_000_000_000;
const BALANCE_LEAST = 5_000_000_000; /* pays for the accounts of a session of any bundled model */
const HISTORY = 20; /* transactions that are searched for a session's accounts */

const TRANSACTION_OPTIONS = { commitment: "confirmed", maxSupportedTransactionVersion: 0 };

const accountBytes = (account) => fromBase64(account.data[0]);
const startsWith = (discriminator) =>
  ({ memcmp: { offset: 0, bytes: base58.encode(discriminator), encoding: "base58" } });

export class Validator {
  constructor(origin, programId) {
    this.rpc = new Rpc(`${origin}/`);
    this.socket = new Socket(`${origin.replace(/^http/, "ws")}/`);
    this.program = new program.Program(programId);
    this.blockhash = null;
    this.models = new Map();
  }

  async #programAccounts(...filters) {
    const options = { encoding: "base64", commitment: "processed", filters };
    const result = await this.rpc.call("getProgramAccounts", this.program.id, options);
    return result.map(({ pubkey, account }) => ({ address: pubkey, bytes: accountBytes(account) }));
  }

  /* Every session: {address, session}. */
  async sessions() {
    const accounts = await this.#programAccounts({ dataSize: program.SESSION_BYTES },
      startsWith(program.ACCOUNT.session));
    return accounts.map(({ address, bytes }) =>
      ({ address, session: program.decodeSession(bytes) }));
  }

  /* Whether the validator holds a session itself. Of a closed one it may still tell
   * what was settled, which says nothing about now. */
  async holds(address) {
    const options = { encoding: "base64", commitment: "processed",
      dataSlice: { offset: 0, length: 0 }, filters: [{ dataSize: program.SESSION_BYTES },
        startsWith(program.ACCOUNT.session)] };
    const held = await this.rpc.call("getProgramAccounts", this.program.id, options);
    return held.some(({ pubkey }) => pubkey === address);
  }

  /* Models that are ready to play: {address, manifest}. */
  async readyModels() {
    const accounts = await this.#programAccounts(startsWith(program.ACCOUNT.manifest));
    for (const { address, bytes } of accounts)
      this.models.set(address, program.decodeManifest(bytes));
    return [...this.models].map(([address, manifest]) => ({ address, manifest }))
      .filter(({ manifest }) => manifest.isReady);
  }

  /* The manifest at an address, read once; null where there is none. */
  async model(address) {
    if (!this.models.has(address)) {
      const bytes = await this.accountData(address);
      if (bytes === null) return null;
      this.models.set(address, program.decodeManifest(bytes));
    }
    return this.models.get(address);
  }

  /* An account's bytes; null when it does not exist. */
  async accountData(address) {
    const options = { encoding: "base64", commitment: "processed" };
    const { value } = await this.rpc.call("getAccountInfo", address, options);
    return value && accountBytes(value);
  }

  /* The session at an address; null when it does not exist. */
  async session(address) {
    const bytes = await this.accountData(address);
    return bytes && program.decodeSession(bytes);
  }

  /* The sessions at some addresses, null for those that are gone. */
  async sessionsAt(addresses) {
    const options = { encoding: "base64", commitment: "processed" };
    const { value } = await this.rpc.call("getMultipleAccounts", addresses, options);
    return value.map((account) => account && program.decodeSession(accountBytes(account)));
  }

  /* onSession(session, slot) after every change; returns what ends it. A closed
   * account gives null. */
  watchSession(address, commitment, onSession) {
    return this.#watch(address, commitment, program.SESSION_BYTES, program.decodeSession,
      onSession);
  }

  watchInputs(address, onInputs) {
    return this.#watch(address, "processed", 1, program.decodeInputBuffer, onInputs);
  }

  #watch(address, commitment, leastBytes, decode, onValue) {
    const params = [address, { encoding: "base64", commitment }];
    return this.socket.subscribe("account", params, (value, context) => {
      const bytes = value ? accountBytes(value) : new Uint8Array(0);
      onValue(bytes.length < leastBytes ? null : decode(bytes), context.slot);
    });
  }

  /* The session's accounts. Sessions made by this page keep their number in the
   * seed; for others the transaction that made them is looked up. */
  async addressesOf(address, session) {
    const guess = program.sessionAddresses(session.seed, this.program.id);
    if (guess.session === address) return guess;
    const history = await this.rpc.call("getSignaturesForAddress", address, { limit: HISTORY });
    for (const { signature } of history.reverse()) {
      const found = await this.#accountsOfTransaction(signature, address);
      if (found) return found;
    }
    throw new Refusal("Unknown input account",
      "The validator no longer holds the transaction that made this session, so its input " +
      "account cannot be found. Create a session of your own.");
  }

  /* hidden and input account from an instruction that created the session. */
  async #accountsOfTransaction(signature, address) {
    const options = { encoding: "json", ...TRANSACTION_OPTIONS };
    const found = await this.rpc.call("getTransaction", signature, options);
    if (!found) return null;
    const { accountKeys, instructions } = found.transaction.message;
    for (const { accounts, data } of instructions) {
      const [session, hidden, input] = accounts.map((index) => accountKeys[index]);
      const isCreate = equal(base58.decode(data).subarray(0, 8), program.CREATE_SESSION);
      if (isCreate && session === address) return { session, hidden, input };
    }
    return null;
  }

  async #recentBlockhash(isFresh) {
    const now = performance.now();
    if (isFresh || !this.blockhash || now - this.blockhash.at > BLOCKHASH_MS) {
      const { value } = await this.rpc.call("getLatestBlockhash", { commitment: "processed" });
      this.blockhash = { text: value.blockhash, at: now };
    }
    return this.blockhash.text;
  }

  /* Signs and sends one instruction or a list; returns the signature. isChecked:
   * the validator executes the transaction once before it answers, so that its
   * error comes with the answer. */
  async send(keypair, instructions, isChecked = true) {
    const attempt = async (isFresh) => {
      const blockhash = await this.#recentBlockhash(isFresh);
      const transaction = await signTransaction(keypair, [instructions].flat(), blockhash);
      const options = { encoding: "base64", preflightCommitment: "processed",
        skipPreflight: !isChecked };
      return this.rpc.call("sendTransaction", transaction, options);
    };
    try {
      return await attempt(false);
    } catch (error) {
      if (!isStaleBlockhash(error)) throw error;
      return attempt(true);
    }
  }

  /* As send, and waits until the transaction has been executed. */
  async sendAndConfirm(keypair, instructions) {
    const signature = await this.send(keypair, instructions);
    await this.#settled(signature);
    return signature;
  }

  async #settled(signature) {
    const params = [signature, { commitment: "processed" }];
    let err;
    try {
      ({ err } = await this.socket.once("signature", params, CONFIRM_MS));
    } catch {
      const { value } = await this.rpc.call("getSignatureStatuses", [signature]);
      if (!value[0])
        throw new Refusal("No confirmation", "The validator took the transaction but has not " +
          "executed it within ten seconds. Try again.");
      err = value[0].err;
    }
    if (err) throw new TransactionError(err, await this.#logsOf(signature));
  }

  async #logsOf(signature) {
    try {
      const found = await this.rpc.call("getTransaction", signature, TRANSACTION_OPTIONS);
      return found?.meta?.logMessages ?? [];
    } catch (error) {
      if (error instanceof RpcError) return [];
      throw error;
    }
  }

  async balance(address) {
    return (await this.rpc.call("getBalance", address, { commitment: "processed" })).value;
  }

  /* Asks for play money until the key can pay for a session. */
  async fund(keypair) {
    if (await this.balance(keypair.address) < BALANCE_LEAST) await this.airdrop(keypair);
  }

  async airdrop(keypair) {
    const signature = await this.rpc.call("requestAirdrop", keypair.address, AIRDROP_LAMPORTS);
    await this.#settled(signature);
  }
}
