// GET /replay/SESSION gives the frames that subscribers were told, also after a stop
// and after a kill.
//
//   usage: validator_replay.js ERX MODEL
import { Connection, Keypair } from "@solana/web3.js";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEqual, check, finish, startIn, until } from "./validator.js";
import { WORLD } from "./world.js";

const FRAMES = 150;
const UNIT = 256;
const [erx, model] = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), "erx-replay-"));
const settings = ["bots=2"];
let validator = await startIn(directory, erx, model, settings);

// A player as abi/ACCOUNTS.md lays it out, in the words of a frames file.
function player(data, at) {
  const fixed = (offset) => data.readInt16LE(at + offset) / UNIT;
  return {
    x: data.readInt32LE(at) / UNIT,
    y: data.readInt32LE(at + 4) / UNIT,
    percent: data.readUInt16LE(at + 8),
    shield_strength: data.readUInt16LE(at + 10) / UNIT,
    speed_air_x: fixed(12),
    speed_y: fixed(14),
    speed_ground_x: fixed(16),
    speed_attack_x: fixed(18),
    speed_attack_y: fixed(20),
    state_age: data.readUInt16LE(at + 22),
    hitlag: data[at + 24],
    stocks: data[at + 25],
    facing: data[at + 26] !== 0,
    on_ground: data[at + 27] !== 0,
    action_state: data.readUInt16LE(at + 28),
    jumps_left: data[at + 30],
    character: data[at + 31],
  };
}

const frameOf = (data) => ({
  players: [player(data, 82), player(data, 114)],
  stage: data[81],
  frame: data.readUInt32LE(9),
});

async function replay(key, query = "") {
  const response = await fetch(`${validator.url}/replay/${key}${query}`);
  return { response, body: await response.json() };
}

const connection = new Connection(validator.url, "confirmed");
const sessions = await connection.getProgramAccounts(WORLD, { filters: [{ dataSize: 256 }] });
const key = sessions[0].pubkey;
const told = new Map();

await check("it has what accountSubscribe delivered, frame by frame", async () => {
  const subscription = connection.onAccountChange(
    key,
    ({ data }) => told.set(data.readUInt32LE(9), frameOf(data)),
    "confirmed",
  );
  await until("enough frames", () => told.size >= FRAMES, 30_000);
  await connection.removeAccountChangeListener(subscription);
  const { response, body } = await replay(key);
  assertEqual(response.status, 200);
  assertEqual(response.headers.get("content-type"), "application/json");
  assertEqual(response.headers.get("access-control-allow-origin"), "*");
  assertEqual(body.frames[0].frame, 1);
  const byFrame = new Map(body.frames.map((frame) => [frame.frame, frame]));
  assertEqual(byFrame.size, body.frames.length);
  for (const [frame, state] of told) assertEqual(byFrame.get(frame), state, `frame ${frame}`);
});

await check("a part of it", async () => {
  const { body } = await replay(key, "?from=20&count=5");
  assertEqual(
    body.frames.map(({ frame }) => frame),
    [20, 21, 22, 23, 24],
  );
  assertEqual((await replay(key, "?from=4000000000")).body.frames, []);
  assertEqual((await replay(key, "?count=0")).body.frames, []);
});

await check("what is wrong is said", async () => {
  for (const [path, status, words] of [
    [Keypair.generate().publicKey, 404, "nothing is recorded"],
    [WORLD, 404, "nothing is recorded"],
    ["", 400, "base58"],
    ["abc", 400, "base58"],
    ["0".repeat(44), 400, "base58"],
    ["a/b", 400, "base58"],
    [`${key}?from=-1`, 400, "from"],
    [`${key}?from=1x`, 400, "from"],
    [`${key}?count=4294967296`, 400, "count"],
  ]) {
    const { response, body } = await replay(path);
    assertEqual(response.status, status, String(path));
    assert(body.error.includes(words), `${path}: ${body.error}`);
  }
});

await check("a reader that leaves takes nothing along", async () => {
  const leaving = new AbortController();
  const responses = await Promise.all(
    Array.from({ length: 20 }, () =>
      fetch(`${validator.url}/replay/${key}`, { signal: leaving.signal }),
    ),
  );
  leaving.abort();
  for (const response of responses) assertEqual(response.status, 200);
  const head = await fetch(`${validator.url}/replay/${key}`, { method: "HEAD" });
  assertEqual([head.status, await head.text()], [200, ""]);
  assert((await replay(key)).body.frames.length >= FRAMES);
});

await check("it is there after a stop, and goes on", async () => {
  const before = (await replay(key)).body.frames;
  assertEqual(await validator.stop("SIGTERM"), 0, validator.log());
  validator = await startIn(directory, erx, model, settings);
  let after;
  await until("more frames", async () => {
    after = (await replay(key)).body.frames;
    return after.at(-1).frame > before.at(-1).frame + 60;
  });
  assertEqual(after.slice(0, before.length), before);
  assertEqual(
    after.map(({ frame }) => frame),
    after.map((_, index) => index + 1),
  );
});

await check("a kill costs at most a second of it", async () => {
  const before = (await replay(key)).body.frames;
  await validator.stop("SIGKILL");
  validator = await startIn(directory, erx, model, settings);
  const after = (await replay(key)).body.frames;
  assert(after.length + 64 >= before.length, `${before.length}, then ${after.length}`);
  const common = Math.min(before.length - 64, after.length);
  assertEqual(after.slice(0, common), before.slice(0, common));
});

await check("metrics", async () => {
  for (const name of ["erx_replays", "erx_replay_bytes", "erx_replay_frames_total"])
    await until(name, async () => {
      const text = await (await fetch(`${validator.url}/metrics`)).text();
      return Number(text.match(new RegExp(`^${name} (\\d+)$`, "m"))?.[1]) > 0;
    });
});

await validator.stop();
rmSync(directory, { recursive: true, force: true });
finish();
