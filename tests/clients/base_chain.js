// A stand-in for a Solana chain on loopback: accounts, subscriptions, and just enough
// of the Delegation program to check every transaction that settles. It can go away
// and come back at the same address, be slow, and answer with nonsense.
import { Keypair, PublicKey, SystemProgram, Transaction } from "@solana/web3.js";
import bs58 from "bs58";
import { createServer } from "node:http";
import WebSocket from "ws";

export const DELEGATION = new PublicKey("DELeGGvXpWV2fqJUhqcF5ZSYMS4JTLjteaAMARRSaeSh");
const MEMO = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr";
const PACKET_MAX = 1232;

const pda = (name, ...keys) =>
  PublicKey.findProgramAddressSync(
    [Buffer.from(name), ...keys.map((key) => key.toBuffer())],
    DELEGATION,
  )[0];

export const recordAddress = (key) => pda("delegation", key);

function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function delegationRecord(validator, owner, lamports) {
  const parts = [u64(100), validator.toBuffer(), owner.toBuffer(), u64(7), u64(lamports), u64(0)];
  return Buffer.concat(parts);
}

// Commits so far, "may be undelegated", one seed, who gets the rent back.
function delegationMetadata(commits, mayUndelegate, payer) {
  const seeds = Buffer.from([1, 0, 0, 0, 4, 0, 0, 0, 115, 101, 101, 100]);
  return Buffer.concat([
    u64(102),
    u64(commits),
    Buffer.from([mayUndelegate ? 1 : 0]),
    seeds,
    payer.toBuffer(),
  ]);
}

function refuse(reason) {
  throw new Error(reason);
}

export class BaseChain {
  slot = 100;
  mode = "good"; // or "malformed", "failing"
  delayMs = 0;
  deaf = false; // takes no WebSocket
  holds = false; // transactions stay processed
  accounts = new Map();
  statuses = new Map();
  notes = []; // memos, as objects
  packets = []; // sizes of transactions
  requests = {}; // how often each method was called
  subscriptions = new Map(); // id: { socket, key }
  nextSubscription = 1;
  payer = Keypair.generate().publicKey;
  port = 0;

  // ---------------------------------------------------------- its servers

  async start() {
    this.http = createServer((request, response) => this.#serve(request, response));
    await this.#listen(this.http, this.port);
    this.port ||= this.http.address().port;
    this.sockets = new WebSocket.Server({ port: this.port + 1, host: "127.0.0.1" });
    this.sockets.on("connection", (socket) => {
      if (this.deaf) return socket.terminate();
      socket.on("message", (text) => this.#hear(socket, JSON.parse(text)));
      socket.on("close", () => this.#forget(socket));
    });
    await new Promise((resolve, reject) => {
      this.sockets.on("listening", resolve);
      this.sockets.on("error", reject);
    });
  }

  async #listen(server, port) {
    await new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
  }

  dropSockets() {
    for (const socket of this.sockets.clients) socket.terminate();
  }

  async stop() {
    this.dropSockets();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.sockets.close(resolve));
    await new Promise((resolve) => this.http.close(resolve));
    this.subscriptions.clear();
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  async #serve(request, response) {
    let body = "";
    for await (const piece of request) body += piece;
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    if (this.mode === "malformed") {
      response.end('{"jsonrpc":"2.0","id":1,"result":{"context":{"slot":"x"},"value":[7,');
      return;
    }
    const { id, method, params } = JSON.parse(body);
    this.requests[method] = (this.requests[method] ?? 0) + 1;
    const answer = { jsonrpc: "2.0", id };
    try {
      if (this.mode === "failing") refuse("Node is behind");
      answer.result = this.#answer(method, params);
    } catch (error) {
      answer.error = { code: -32002, message: error.message };
    }
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer));
  }

  #hear(socket, { id, method, params }) {
    let result = true;
    if (method === "accountSubscribe") {
      result = this.nextSubscription++;
      this.subscriptions.set(result, { socket, key: params[0] });
    } else if (method === "accountUnsubscribe") {
      result = this.subscriptions.delete(params[0]);
    }
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, result }));
  }

  #forget(socket) {
    for (const [id, subscription] of this.subscriptions)
      if (subscription.socket === socket) this.subscriptions.delete(id);
  }

  follows(key) {
    return [...this.subscriptions.values()].some((entry) => entry.key === key.toBase58());
  }

  // ------------------------------------------------------------- accounts

  get(key) {
    return this.accounts.get(key.toBase58());
  }

  // Puts an account there; null removes it. Whoever follows it is told.
  put(key, account) {
    const name = key.toBase58();
    this.slot++;
    if (account === null) this.accounts.delete(name);
    else
      this.accounts.set(name, {
        data: Buffer.alloc(0),
        owner: SystemProgram.programId,
        ...account,
      });
    for (const [subscription, { socket, key: followed }] of this.subscriptions) {
      if (followed !== name) continue;
      const result = { context: { slot: this.slot }, value: this.#show(name) };
      const told = {
        jsonrpc: "2.0",
        method: "accountNotification",
        params: { result, subscription },
      };
      socket.send(JSON.stringify(told));
    }
  }

  delegate(
    key,
    validator,
    { lamports = 1_000_000, owner = SystemProgram.programId, data = Buffer.alloc(0) } = {},
  ) {
    this.put(pda("delegation", key), {
      lamports: 1,
      owner: DELEGATION,
      data: delegationRecord(validator, owner, lamports),
    });
    this.put(pda("delegation-metadata", key), {
      lamports: 1,
      owner: DELEGATION,
      data: delegationMetadata(0, false, this.payer),
    });
    this.put(key, { lamports, owner: DELEGATION, data });
  }

  #show(name) {
    const account = this.accounts.get(name);
    if (account === undefined) return null;
    return {
      lamports: account.lamports,
      owner: account.owner.toBase58(),
      data: [account.data.toString("base64"), "base64"],
      executable: false,
      rentEpoch: 0,
      space: account.data.length,
    };
  }

  // -------------------------------------------------------------- methods

  #answer(method, params) {
    const context = { slot: this.slot };
    switch (method) {
      case "getSlot":
        return this.slot;
      case "getMultipleAccounts":
        if (params[0].length > 100) refuse("Too many inputs provided; max 100");
        return { context, value: params[0].map((name) => this.#show(name)) };
      case "getLatestBlockhash":
        this.blockhash = bs58.encode(Keypair.generate().publicKey.toBuffer());
        return {
          context,
          value: { blockhash: this.blockhash, lastValidBlockHeight: this.slot + 150 },
        };
      case "sendTransaction":
        return this.#execute(Buffer.from(params[0], params[1].encoding));
      case "getSignatureStatuses":
        return { context, value: params[0].map((signature) => this.#status(signature)) };
      default:
        return refuse(`Method not found: ${method}`);
    }
  }

  // Processed at first, confirmed when asked again.
  #status(signature) {
    const status = this.statuses.get(signature);
    if (status === undefined) return null;
    const confirmationStatus = this.holds || status.asked++ === 0 ? "processed" : "confirmed";
    return { slot: this.slot, confirmations: 1, err: null, confirmationStatus };
  }

  // --------------------------------------------------------- transactions

  #execute(packet) {
    if (packet.length > PACKET_MAX) refuse("base64 encoded too large");
    this.packets.push(packet.length);
    const transaction = Transaction.from(packet);
    if (!transaction.verifySignatures()) refuse("Transaction signature verification failure");
    if (transaction.recentBlockhash !== this.blockhash) refuse("Blockhash not found");
    const { header, accountKeys } = transaction.compileMessage();
    if (header.numRequiredSignatures !== 1) refuse("one signature is enough");
    if (new Set(accountKeys.map(String)).size !== accountKeys.length)
      refuse("AccountLoadedTwice");
    const state = { commit: null };
    for (const instruction of transaction.instructions) {
      if (instruction.programId.toBase58() === MEMO)
        this.notes.push(JSON.parse(instruction.data.toString()));
      else if (instruction.programId.equals(DELEGATION)) this.#delegation(instruction, state);
      else refuse("ProgramAccountNotFound");
    }
    const signature = bs58.encode(transaction.signature);
    this.statuses.set(signature, { asked: 0 });
    return signature;
  }

  #delegation({ keys, data }, state) {
    const kind = Number(data.readBigUInt64LE());
    const [validator, account] = keys.map(({ pubkey }) => pubkey);
    const record = this.get(pda("delegation", account)) ?? refuse("not delegated");
    const owner = new PublicKey(record.data.subarray(40, 72));
    this.#checkKeys(kind, keys, owner);
    if (!keys[0].isSigner || !validator.equals(new PublicKey(record.data.subarray(8, 40))))
      refuse("not this validator's");
    if (kind === 1) state.commit = this.#commit(account, data);
    else if (kind === 2) this.#finalize(account, owner, state);
    else this.#undelegate(account, owner);
  }

  // The accounts that each instruction takes, and which of them it writes.
  #checkKeys(kind, keys, owner) {
    const [validator, account] = keys.map(({ pubkey }) => pubkey);
    const common = [
      pda("state-diff", account),
      pda("commit-state-record", account),
      pda("delegation", account),
      pda("delegation-metadata", account),
    ];
    const fees = pda("v-fees-vault", validator);
    const expected = {
      1: [validator, account, ...common, fees, pda("p-conf", owner), SystemProgram.programId],
      2: [validator, account, ...common, fees, SystemProgram.programId],
      3: [
        validator,
        account,
        owner,
        pda("undelegate-buffer", account),
        ...common,
        this.payer,
        pda("fees-vault"),
        fees,
        SystemProgram.programId,
      ],
    }[kind];
    const writable = { 1: [2, 3, 5], 2: [1, 2, 3, 4, 5, 6], 3: [0, 1, 3, 6, 7, 8, 9, 10] }[kind];
    if (expected.map(String).join() !== keys.map(({ pubkey }) => String(pubkey)).join())
      refuse(`accounts of instruction ${kind}`);
    if (!writable.every((i) => keys[i].isWritable))
      refuse(`writable accounts of instruction ${kind}`);
  }

  #commit(account, data) {
    const metadata = this.get(pda("delegation-metadata", account));
    const number = data.readBigUInt64LE(8);
    if (number !== metadata.data.readBigUInt64LE(8) + 1n) refuse("NonceOutOfOrder");
    const length = data.readUInt32LE(25);
    if (data.length !== 29 + length) refuse("commit's length");
    return {
      number,
      lamports: Number(data.readBigUInt64LE(16)),
      mayUndelegate: data[24] === 1,
      state: data.subarray(29),
    };
  }

  // Lamports that a commit adds or takes are the validator's; a program's stay.
  #finalize(account, owner, { commit }) {
    const before = this.get(account);
    if (commit === null) refuse("nothing to finalize");
    const keeps = commit.lamports === before.lamports;
    if (!keeps && !owner.equals(SystemProgram.programId)) refuse("lamports of a program's account");
    this.put(pda("delegation-metadata", account), {
      lamports: 1,
      owner: DELEGATION,
      data: delegationMetadata(commit.number, commit.mayUndelegate, this.payer),
    });
    const { lamports, state } = commit;
    this.put(account, { ...before, lamports, data: Buffer.from(state) });
  }

  #undelegate(account, owner) {
    if (this.get(pda("delegation-metadata", account)).data[16] !== 1) refuse("NotUndelegatable");
    this.put(pda("delegation", account), null);
    this.put(pda("delegation-metadata", account), null);
    this.put(account, { ...this.get(account), owner });
  }
}
