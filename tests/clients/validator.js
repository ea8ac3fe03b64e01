// Starts a validator of the test's own, and what tests with clients share.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_MS = 30_000;

// A validator on free ports in a directory that is gone afterwards. before: a command
// that it is started with, such as ["taskset", "-c", "0"].
export async function startValidator(erx, model, settings = [], before = []) {
  const directory = mkdtempSync(join(tmpdir(), "erx-clients-"));
  const validator = await startIn(directory, erx, model, settings, before);
  return {
    ...validator,
    async stop(signal) {
      const status = await validator.stop(signal);
      rmSync(directory, { recursive: true, force: true });
      return status;
    },
  };
}

// The same in a directory of the caller's, which stays.
export async function startIn(directory, erx, model, settings = [], before = []) {
  const sets = settings.flatMap((setting) => ["--set", setting]);
  const [program, ...words] = [...before, erx];
  const child = spawn(
    program,
    [
      ...words,
      "serve",
      "--model",
      model,
      "--data",
      join(directory, "data"),
      "--listen",
      "127.0.0.1:0",
      ...sets,
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const ended = new Promise((resolve) =>
    child.on("close", (code, signal) => resolve(code ?? signal)),
  );
  let output = "";
  let log = "";
  child.stderr.on("data", (data) => (log += data));
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no validator after ${START_MS} ms\n${log}`)),
      START_MS,
    );
    child.stdout.on("data", (data) => {
      output += data;
      const found = output.match(/JSON-RPC +(http:\S+)/);
      if (found && output.includes("WebSocket")) {
        clearTimeout(timer);
        resolve(found[1]);
      }
    });
    child.on("close", () => reject(new Error(`the validator ended\n${log}`)));
  });
  return {
    url,
    pid: child.pid,
    socketUrl: output.match(/WebSocket +(ws:\S+)/)[1],
    log: () => log,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      return await ended;
    },
  };
}

let passed = 0;
let failed = 0;

// Runs one check and says what became of it.
export async function check(name, body) {
  try {
    await body();
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${error.stack ?? error}`);
  }
}

export function assert(condition, text = "not as expected") {
  if (!condition) throw new Error(text);
}

export function assertEqual(found, expected, text = "") {
  const [a, b] = [found, expected].map((value) =>
    JSON.stringify(value, (_, member) => (typeof member === "bigint" ? String(member) : member)),
  );
  if (a !== b) throw new Error(`${text} ${a}, expected ${b}`);
}

// The error that a promise ends with.
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("was not refused");
}

export async function until(what, condition, ms = 10_000) {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

// Sends a transaction and asks until it is confirmed; its signature. The library's
// own confirmation leaves a request behind that nobody waits for: where a validator
// is stopped next, its failure would end the program.
export async function sendAndAsk(connection, transaction, signers) {
  const signature = await connection.sendTransaction(transaction, signers);
  await until(`${signature} is confirmed`, async () => {
    const { value } = await connection.getSignatureStatus(signature);
    if (value?.err) throw new Error(`${signature} failed: ${JSON.stringify(value.err)}`);
    return ["confirmed", "finalized"].includes(value?.confirmationStatus);
  }, 30_000);
  return signature;
}

// The line that test programs end with, and the exit status.
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
