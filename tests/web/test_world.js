// What the page knows of the world: names, stages, poses, frames files, time.
//
//   usage: run.sh TARGET test_world.js ERX SOURCE_ROOT
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { combinePads, emptyPad, padFromControls } from "../../node/web/play/pad.js";
import { POSE_NAMES, JOINT_COUNT, writePose } from "../../node/web/view/poses.js";
import { actionName, actionPose } from "../../node/web/world/actions.js";
import { CHARACTER_IDS, characterOf } from "../../node/web/world/characters.js";
import { readFrames, writeFrames } from "../../node/web/world/frames.js";
import { STAGE_IDS, groundUnder, isInside, stageOf } from "../../node/web/world/stages.js";
import { LiveTimeline, RecordedTimeline, mixPlayers } from "../../node/web/world/timeline.js";
import { runCases, test } from "./cases.js";

const [erx, root] = process.argv.slice(2);
const PERIOD = 1000 / 60;
const ACTIONS = 400;
const PAGE_BYTES_MOST = 300000;

const narrate = fs.readFileSync(path.join(root, "tools/narrate.c"), "utf8");

test("characters and stages have the names that erx says", () => {
  const list = narrate.match(/characters\[\] = \{([^}]*)\}/)[1];
  const names = [...list.matchAll(/"([^"]*)"/g)].map(([, name]) => name);
  assert.deepEqual(CHARACTER_IDS.map((id) => characterOf(id).name), names);
  const stages = [...narrate.matchAll(/case (\d+):\s*return "([^"]*)"/g)];
  assert.deepEqual(stages.map(([, id]) => Number(id)), STAGE_IDS);
  for (const [, id, name] of stages) assert.equal(stageOf(Number(id)).name, name);
  assert.equal(characterOf(32).name, "character 32");
  assert.equal(stageOf(4).name, "stage 4");
});

test("every action has a name and a pose of finite angles at any age", () => {
  const out = new Float64Array(JOINT_COUNT);
  const used = new Set();
  for (let action = 0; action < ACTIONS; action++) {
    assert.ok(actionName(action).length > 2);
    used.add(actionPose(action));
    for (const age of [0, 1, 7, 33, 400, 65535]) {
      writePose(out, actionPose(action), { age, time: age / 60, phase: age });
      assert.ok(out.every(Number.isFinite), `action ${action} at age ${age}`);
    }
  }
  assert.deepEqual([...used].sort(), [...POSE_NAMES].sort());
});

test("stages hold their platforms inside the blast zones", () => {
  for (const stage of STAGE_IDS.map(stageOf)) {
    assert.equal(groundUnder(stage, { x: 0, y: 0 }), 0);
    assert.equal(groundUnder(stage, { x: stage.edge + 10, y: 0 }), null);
    for (const { left, right, y } of stage.platforms) {
      assert.ok(left < right);
      for (const x of [left, right]) assert.ok(isInside(stage, { x, y }));
      assert.equal(groundUnder(stage, { x: (left + right) / 2, y: y + 1 }), y);
    }
  }
});

test("a rollout of erx is read as it was written", () => {
  const json = execFileSync(erx, ["rollout", "--model", path.join(root, "models/world"), "--trace",
    path.join(root, "models/scripted.trace"), "--game", "3", "--frames", "30", "--json", "-"],
  { maxBuffer: 1 << 26 });
  const document = JSON.parse(json);
  const { stage, frames } = readFrames(document);
  assert.equal(stage, 28);
  assert.equal(frames.length, 30);
  assert.equal(frames[29].frame, 30);
  assert.equal(frames[4].players[1].x, document.frames[4].players[1].x);
  assert.equal(frames[0].players[0].facing, 1);
  assert.equal(frames[0].players[1].facing, -1);
});

test("what a page has seen is written as erx writes it", () => {
  const player = { x: 1.5, y: -2, percent: 3, shield: 60, speedAirX: 0, speedY: 1, speedGroundX: 2,
    speedAttackX: 3, speedAttackY: 4, age: 5, hitlag: 6, stocks: 3, action: 14, jumps: 2,
    character: 9, facing: -1, onGround: true };
  const frames = [7, 9].map((frame) => ({ frame, players: [player, { ...player, facing: 1 }] }));
  assert.deepEqual(readFrames(JSON.parse(writeFrames(31, frames))), { stage: 31, frames });
});

test("a frames file that is wrong is refused with the place", () => {
  const player = { x: 0, y: 0, percent: 0, shield_strength: 60, speed_air_x: 0, speed_y: 0,
    speed_ground_x: 0, speed_attack_x: 0, speed_attack_y: 0, state_age: 1, hitlag: 0, stocks: 4,
    facing: true, on_ground: true, action_state: 14, jumps_left: 2, character: 1 };
  const whole = { players: [player, player], stage: 32 };
  assert.equal(readFrames({ frames: [whole] }).frames.length, 1);
  assert.throws(() => readFrames([]), /no list 'frames'/);
  assert.throws(() => readFrames({ frames: [] }), /at least one frame/);
  assert.throws(() => readFrames({ frames: [whole, { players: [player] }] }), /frame 2/);
  const torn = { players: [player, { ...player, y: "high" }], stage: 32 };
  assert.throws(() => readFrames({ frames: [torn] }), /frame 1, player 2 has no number 'y'/);
  assert.throws(() => readFrames({ frames: [{ ...whole, stage: undefined }] }), /'stage'/);
});

const players = (x) => [0, 1].map(() => ({ x, y: 0, shield: 60 }));

/* A timeline that is told frames at the given times, and asked at 144 Hz. */
function playLive(arrivals, until) {
  const timeline = new LiveTimeline();
  const shown = [];
  let next = 0;
  for (let now = 0; now < until; now += 1000 / 144) {
    while (next < arrivals.length && arrivals[next][1] <= now) {
      const [frame, at] = arrivals[next++];
      timeline.push(frame, players(frame), at);
    }
    const moment = timeline.moment(now);
    if (moment) {
      const { before, after, mix } = moment;
      shown.push(mixPlayers(before.players[0], after.players[0], mix).x);
    }
  }
  return { timeline, shown };
}

test("frames that arrive unevenly are shown evenly, at a higher display rate", () => {
  const arrivals = Array.from({ length: 300 }, (_, i) => [i, i * PERIOD + ((i * 37) % 11)]);
  const { timeline, shown } = playLive(arrivals, 300 * PERIOD);
  const steps = shown.slice(300).map((x, i, all) => (i ? x - all[i - 1] : null)).slice(1);
  const even = 60 / 144;
  assert.ok(Math.max(...steps) < 2 * even, `largest step ${Math.max(...steps)}`);
  assert.ok(Math.min(...steps) >= 0, "time does not run backwards");
  assert.ok(Math.abs(timeline.rate - 60) < 2);
  assert.equal(timeline.counts.dropped, 0);
});

test("dropped and late frames are counted", () => {
  const arrivals = [];
  for (let i = 0; i < 100; i++) if (i !== 50 && i !== 51) arrivals.push([i, i * PERIOD]);
  arrivals[80][1] += 12;
  const { timeline } = playLive(arrivals, 100 * PERIOD);
  assert.equal(timeline.counts.dropped, 2);
  assert.equal(timeline.counts.late, 1);
});

test("a session that begins anew is shown from its start", () => {
  const first = Array.from({ length: 100 }, (_, i) => [i + 500, i * PERIOD]);
  const second = Array.from({ length: 60 }, (_, i) => [i, (100 + i) * PERIOD]);
  const { shown } = playLive([...first, ...second], 160 * PERIOD);
  assert.ok(shown.at(-1) > 50 && shown.at(-1) < 60);
});

test("a new life is not smeared over the stage", () => {
  const [before, after] = [{ x: -200, y: -100, shield: 1 }, { x: 0, y: 60, shield: 60 }];
  assert.equal(mixPlayers(before, after, 0.5).x, 0);
  assert.equal(mixPlayers({ ...before, x: 0, y: 0 }, { ...after, x: 1, y: 0 }, 0.5).x, 0.5);
});

test("a recording plays, steps and stops at its ends", () => {
  const frames = Array.from({ length: 10 }, (_, i) => ({ frame: i + 1, players: players(i) }));
  const timeline = new RecordedTimeline(frames);
  timeline.moment(0);
  assert.equal(timeline.moment(PERIOD * 2).frame, 3);
  timeline.step(-1);
  assert.equal(timeline.moment(PERIOD * 3).frame, 2);
  timeline.speed = 0.5;
  timeline.play();
  assert.equal(timeline.moment(PERIOD * 5).frame, 3);
  timeline.step(100);
  assert.equal(timeline.moment(PERIOD * 6).frame, 10);
  timeline.play();
  assert.equal(timeline.index, 0);
});

test("held controls become a pad; several pads become one", () => {
  const pad = padFromControls(new Set(["left", "up", "a", "l"]));
  assert.deepEqual(pad, { ...emptyPad(), stickX: -90, stickY: 90, left: 255, buttons: 1 + 1024 });
  assert.equal(padFromControls(new Set(["left", "right"])).stickX, 0);
  assert.equal(padFromControls(new Set(["right", "walk"])).stickX, 64);
  const both = combinePads([pad, { ...emptyPad(), stickX: 127, buttons: 2 }]);
  assert.deepEqual([both.stickX, both.stickY, both.buttons], [-90, 90, 1 + 2 + 1024]);
});

test("the page is small and asks nobody else for anything", () => {
  const folder = path.join(root, "node/web");
  let bytes = 0;
  for (const name of fs.readdirSync(folder, { recursive: true })) {
    const file = path.join(folder, name);
    if (!fs.statSync(file).isFile()) continue;
    const text = fs.readFileSync(file, "utf8");
    bytes += Buffer.byteLength(text);
    const outside = text.match(/(?:src|href|url|import|fetch)\W{1,3}https?:\/\/[^'"\s]+/);
    assert.equal(outside, null, `${name} names ${outside}`);
  }
  assert.ok(bytes < PAGE_BYTES_MOST, `${bytes} bytes, at most ${PAGE_BYTES_MOST}`);
});

process.exitCode = await runCases();
