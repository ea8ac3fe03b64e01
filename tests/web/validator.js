/* A reference validator of the test's own: started on a free port with a data
 * directory of its own, stopped, killed and started again. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fromBase64 } from "../../node/web/chain/bytes.js";
import * as program from "../../node/web/chain/program.js";

export const PATIENCE_MS = 90000; /* on a machine that is busy with other things too */
const STOP_MS = 10000;

/* A port on which and after which nothing listens. */
async function freePort() {
  const listen = (port) => new Promise((resolve) => {
    const server = net.createServer();
    server.on("error", () => resolve(null));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
  const close = (server) => new Promise((resolve) => server.close(resolve));
  for (;;) {
    const first = await listen(0);
    const { port } = first.address();
    const second = await listen(port + 1);
    await close(first);
    if (!second) continue;
    await close(second);
    return port;
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* Waits until check() gives something true, and returns it. */
export async function until(what, check, timeoutMs = PATIENCE_MS) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const result = await check();
    if (result) return result;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await sleep(50);
  }
}

export class TestValidator {
  /* erx: the program; model: a model directory; bots: sessions that play alone. */
  static async start(erx, model, bots) {
    const validator = new TestValidator();
    validator.folder = fs.mkdtempSync(path.join(os.tmpdir(), "erx-web-"));
    validator.command = [erx, model, bots];
    validator.port = await freePort();
    validator.url = `http://127.0.0.1:${validator.port}`;
    await validator.resume();
    return validator;
  }

  async resume() {
    const [erx, model, bots] = this.command;
    const log = fs.openSync(path.join(this.folder, "log"), "a");
    this.child = spawn(erx, ["serve", "--model", model, "--data", path.join(this.folder, "data"),
      "--listen", `127.0.0.1:${this.port}`, "--bots", String(bots)],
    { stdio: ["ignore", log, log] });
    fs.closeSync(log);
    this.exit = new Promise((resolve) => this.child.on("exit", resolve));
    await until("the validator answers", () => this.#answers());
  }

  async #answers() {
    if (this.child.exitCode !== null) throw new Error(`the validator ended:\n${this.log}`);
    try {
      return (await fetch(`${this.url}/health`)).ok;
    } catch {
      return false;
    }
  }

  get log() {
    return fs.readFileSync(path.join(this.folder, "log"), "utf8");
  }

  async kill() {
    this.child.kill("SIGKILL");
    await this.exit;
  }

  async stop() {
    this.child.kill("SIGTERM");
    const late = setTimeout(() => this.child.kill("SIGKILL"), STOP_MS);
    await this.exit;
    clearTimeout(late);
    fs.rmSync(this.folder, { recursive: true });
  }

  async call(method, ...params) {
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const { result, error } = await response.json();
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  async account(address) {
    const { value } = await this.call("getAccountInfo", address,
      { encoding: "base64", commitment: "processed" });
    return value && fromBase64(value.data[0]);
  }

  /* The addresses of all sessions. */
  async addresses() {
    const accounts = await this.call("getProgramAccounts", program.DEFAULT_PROGRAM,
      { encoding: "base64", filters: [{ dataSize: program.SESSION_BYTES }] });
    return accounts.map(({ pubkey }) => pubkey);
  }

  async session(address) {
    const bytes = await this.account(address);
    return bytes && program.decodeSession(bytes);
  }

  /* The InputBuffer of a session of the page, and the controllers in it. */
  async inputs(address) {
    const { seed } = await this.session(address);
    const { input } = program.sessionAddresses(seed, program.DEFAULT_PROGRAM);
    const bytes = await this.account(input);
    const pads = [12, 20].map((at) => bytes.subarray(at, at + program.INPUT_BYTES));
    return { ...program.decodeInputBuffer(bytes), pads };
  }
}
