/* Show: recorded frames, from a session's journal, from an address or from a file,
 * with a transport: scrub, speed, step, share. */
import { Refusal } from "../chain/errors.js";
import { readFrames, writeFrames } from "../world/frames.js";
import { DEFAULT_STAGE, stageOf } from "../world/stages.js";
import { RecordedTimeline } from "../world/timeline.js";
import { byId, element } from "./dom.js";
import { icon } from "./icons.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4];
const SECOND = 60; /* frames */

function parse(text, name) {
  try {
    return readFrames(JSON.parse(text));
  } catch (error) {
    throw new Refusal("No frames file", `${name} cannot be shown: ${error.message}. Frames files ` +
      "are what 'erx rollout --json FILE' writes.");
  }
}

/* A recording from an address. */
export async function fetchRecording(url, name) {
  let response;
  try {
    response = await fetch(url);
  } catch {
    throw new Refusal("No answer", `${name} cannot be read: nothing answers at ${url}.`);
  }
  const text = await response.text();
  if (!response.ok)
    throw new Refusal("No recording", `${name} cannot be read: ${text.slice(0, 300) ||
      `the answer was ${response.status}`}`);
  return { name, text, url, ...parse(text, name) };
}

/* A recording of what this tab has seen of a session. */
export function seenRecording(name, { stage, frames }) {
  return { name: `${name}, as seen here`, stage, frames, text: writeFrames(stage, frames) };
}

/* A recording from a file that was dropped or chosen. */
export async function readRecording(file) {
  const text = await file.text();
  return { name: file.name, text, ...parse(text, file.name) };
}

export class ReplayShow {
  /* options: {at, link}: the frame to begin with; the address to share, if any. */
  constructor(app, recording, { at = 0, link = null } = {}) {
    Object.assign(this, { app, recording, link });
    this.timeline = new RecordedTimeline(recording.frames);
    this.timeline.seek(at);
    if (at > 0) this.timeline.isPlaying = false;
    this.#build();
    this.onKey = (event) => this.#key(event);
    addEventListener("keydown", this.onKey);
  }

  stop() {
    removeEventListener("keydown", this.onKey);
    byId("transport").hidden = true;
  }

  get latency() {
    return null;
  }

  #build() {
    const button = (shape, name, run) => element("button",
      { type: "button", "aria-label": name, title: name, onclick: run }, icon(shape));
    const { timeline } = this;
    this.playButton = button("pause", "Play or pause", () => this.toggle());
    this.slider = element("input", { type: "range", min: 0, max: timeline.length - 1, step: 1,
      value: 0, "aria-label": "Frame",
      oninput: () => { timeline.isPlaying = false; this.#seek(Number(this.slider.value)); } });
    this.speed = element("select", { "aria-label": "Speed",
      onchange: () => { timeline.speed = Number(this.speed.value); } },
      ...SPEEDS.map((speed) => element("option", { value: speed, selected: speed === 1 },
        `${speed} ×`)));
    const bar = byId("transport");
    bar.hidden = false;
    bar.replaceChildren(
      element("div", { class: "row" }, button("start", "Back to the start", () => this.#seek(0)),
        button("back", "One frame back", () => timeline.step(-1)), this.playButton,
        button("on", "One frame on", () => timeline.step(1))),
      this.slider, this.speed);
  }

  toggle() {
    if (this.timeline.isPlaying) this.timeline.isPlaying = false;
    else this.timeline.play();
  }

  #seek(index) {
    const far = Math.abs(index - this.timeline.position) > SECOND / 2;
    this.timeline.seek(index);
    if (far) this.app.viewer.arena.reset();
  }

  #key(event) {
    if (event.target.closest?.("input, select, button, dialog, textarea, a") || event.altKey ||
        event.ctrlKey || event.metaKey) return;
    const { timeline } = this;
    const keys = {
      Space: () => this.toggle(),
      ArrowLeft: () => (event.shiftKey ? this.#seek(timeline.index - SECOND) : timeline.step(-1)),
      ArrowRight: () => (event.shiftKey ? this.#seek(timeline.index + SECOND) : timeline.step(1)),
      Home: () => this.#seek(0),
      End: () => this.#seek(timeline.length - 1),
    };
    if (!keys[event.code]) return;
    event.preventDefault();
    keys[event.code]();
  }

  scene(now) {
    const { timeline, recording } = this;
    const moment = timeline.moment(now);
    this.#showPosition();
    return {
      stage: recording.stage, moment, seats: 2, tags: ["", ""], cover: null,
      badge: { text: "replay", note: `${stageOf(recording.stage).name} · ${recording.name}` },
      clock: `frame ${moment.frame} / ${recording.frames.at(-1).frame}`,
    };
  }

  #showPosition() {
    const { timeline, slider } = this;
    if (Number(slider.value) !== timeline.index) slider.value = timeline.index;
    const shape = timeline.isPlaying ? "pause" : "play";
    if (this.playButton.dataset.shape === shape) return;
    this.playButton.dataset.shape = shape;
    this.playButton.replaceChildren(icon(shape));
  }

  actions() {
    const { app, link, timeline } = this;
    const file = { label: "Save frames file", run: () => this.#save() };
    const open = { label: "Open a frames file", run: () => app.chooseFile() };
    const share = { label: "Copy link to this frame",
      run: () => app.share(`${link}?at=${timeline.index}`) };
    return link ? [share, file, open] : [file, open];
  }

  #save() {
    const url = URL.createObjectURL(new Blob([this.recording.text], { type: "application/json" }));
    const name = this.recording.name.replace(/\W+/g, "-").replace(/-json$/, "");
    element("a", { href: url, download: `${name}.json` }).click();
    URL.revokeObjectURL(url);
  }
}

/* Show of #/replay while nothing was opened yet. */
export class EmptyReplayShow {
  constructor(app) {
    this.app = app;
  }

  stop() {}

  get latency() {
    return null;
  }

  scene() {
    return { stage: DEFAULT_STAGE, moment: null, seats: 0, tags: [], badge: { text: "replay" },
      clock: "",
      cover: { title: this.app.loading ?? "Open a recording",
        text: "Any session below has one; or drop a frames file on this page." } };
  }

  actions() {
    return [{ label: "Open a frames file", isStrong: true, run: () => this.app.chooseFile() }];
  }
}
