/* JSON-RPC over HTTP, as any Solana client speaks it. */

/* What the validator answered in place of a result. */
export class RpcError extends Error {
  constructor({ code, message, data }) {
    super(message);
    this.name = "RpcError";
    this.code = code;
    this.err = data?.err ?? null;
    this.logs = data?.logs ?? [];
  }
}

/* No answer at all: the validator is down or out of reach. */
export class UnreachableError extends Error {
  constructor() {
    super("The validator does not answer.");
    this.name = "UnreachableError";
  }
}

const TIMEOUT_MS = 8000;

export class Rpc {
  constructor(url) {
    this.url = url;
    this.nextId = 1;
  }

  async call(method, ...params) {
    const body = JSON.stringify({ jsonrpc: "2.0", id: this.nextId++, method, params });
    let reply;
    try {
      const response = await fetch(this.url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      reply = await response.json();
    } catch {
      throw new UnreachableError();
    }
    if (reply.error) throw new RpcError(reply.error);
    return reply.result;
  }
}
