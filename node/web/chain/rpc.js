/* JSON-RPC over HTTP, as any Solana client speaks it. */

/* What the validator answered in place of a result; code is JSON-RPC's or HTTP's. */
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

/* null where the text is no JSON: a refusal by HTTP alone. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export class Rpc {
  constructor(url) {
    this.url = url;
    this.nextId = 1;
  }

  async call(method, ...params) {
    const body = JSON.stringify({ jsonrpc: "2.0", id: this.nextId++, method, params });
    let response;
    let text;
    try {
      response = await fetch(this.url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await response.text();
    } catch {
      throw new UnreachableError();
    }
    const reply = parsed(text);
    if (reply === null)
      throw new RpcError({ code: response.status, message: text.trim() || "No answer in JSON." });
    if (reply.error) throw new RpcError(reply.error);
    return reply.result;
  }
}
