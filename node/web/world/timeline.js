/* Which moment to show, between two known frames. A live timeline plays frames
 * as they arrive, a little behind the newest so that uneven arrival does not
 * show; a recorded one is moved by hand or by its own clock.
 *
 * Both answer moment(now) with {before, after, mix, frame} or null: show the
 * frame `before` mixed with `after` by 0 to 1. */

const PERIOD_MS = 1000 / 60;
const KEPT = 90; /* frames that are kept behind the newest */
const DELAY_LEAST = 1; /* frames behind the newest, at least and at most */
const DELAY_MOST = 8;
const BASE_RISE = 0.01; /* how fast the estimate of the least delay forgets */
const JITTER_FALL = 0.995;
const JUMP_FRAMES = 10;
const HASTE = 0.12;
const LATE = 1.5; /* periods beyond which a frame is late */

/* Where in `frames` the fractional frame number lies. */
function between(frames, at) {
  let after = frames.length - 1;
  while (after > 0 && frames[after - 1].frame > at) after--;
  const a = frames[Math.max(0, after - 1)];
  const b = frames[after];
  const span = b.frame - a.frame;
  const mix = span > 0 ? Math.min(1, Math.max(0, (at - a.frame) / span)) : 1;
  return { before: a, after: b, mix, frame: mix < 1 ? a.frame : b.frame };
}

export class LiveTimeline {
  constructor() {
    this.reset();
  }

  reset() {
    this.frames = [];
    this.period = PERIOD_MS;
    this.base = null; /* arrival of frame 0, had it come with the least delay */
    this.jitter = 0;
    this.shown = 0;
    this.asked = null; /* when a moment was last asked for */
    this.counts = { dropped: 0, late: 0, arrived: 0 };
    this.intervals = new Float32Array(240); /* times between arrivals, ms, a ring */
    this.lastArrival = null;
  }

  get newest() {
    return this.frames.at(-1) ?? null;
  }

  /* players: the frame's; now: its arrival in ms. */
  push(frame, players, now) {
    const { newest } = this;
    if (newest && frame < newest.frame) this.reset(); /* began anew */
    else if (newest && frame === newest.frame) return;
    this.#count(frame, now);
    this.#follow(frame, now);
    this.frames.push({ frame, players, arrival: now });
    if (this.frames.length > KEPT) this.frames.shift();
  }

  #count(frame, now) {
    const { newest, counts, lastArrival } = this;
    if (newest) {
      const steps = frame - newest.frame;
      counts.dropped += steps - 1;
      if (now - lastArrival > (steps - 1 + LATE) * this.period) counts.late++;
      this.intervals[counts.arrived % this.intervals.length] = now - lastArrival;
    }
    counts.arrived++;
    this.lastArrival = now;
  }

  /* Keeps the estimates of period, least delay and jitter near what arrives. */
  #follow(frame, now) {
    const { frames } = this;
    const first = frames[0];
    if (frames.length >= 30 && frame > first.frame) {
      const measured = (now - first.arrival) / (frame - first.frame);
      this.period += 0.05 * (measured - this.period);
    }
    const start = now - frame * this.period;
    if (this.base === null || Math.abs(start - this.base) > 1000) this.base = start;
    this.base = start < this.base ? start : this.base + BASE_RISE * (start - this.base);
    this.jitter = Math.max(this.jitter * JITTER_FALL, start - this.base);
  }

  moment(now) {
    if (!this.frames.length) return null;
    const delay = Math.min(DELAY_MOST, Math.max(DELAY_LEAST, this.jitter / this.period + 0.5));
    const wanted = (now - this.base) / this.period - delay;
    const elapsed = this.asked === null ? 0 : (now - this.asked) / this.period;
    const error = wanted - (this.shown + elapsed);
    this.asked = now;
    /* Far off: jump there. Near: run a little faster or slower, which is not seen. */
    if (Math.abs(error) > JUMP_FRAMES) this.shown = wanted;
    else this.shown += elapsed * (1 + Math.max(-HASTE, Math.min(HASTE, error * HASTE)));
    this.shown = Math.max(this.frames[0].frame, Math.min(this.newest.frame, this.shown));
    return between(this.frames, this.shown);
  }

  /* Frames a second over the last second. */
  get rate() {
    const { newest } = this;
    const first = this.frames.find(({ arrival }) => newest.arrival - arrival <= 1000);
    if (!newest || newest === first) return 0;
    return (1000 * (newest.frame - first.frame)) / (newest.arrival - first.arrival);
  }
}

export class RecordedTimeline {
  constructor(frames) {
    this.frames = frames;
    this.position = 0; /* index of a frame, with a fraction while it plays */
    this.speed = 1;
    this.isPlaying = true;
    this.last = null;
  }

  get length() {
    return this.frames.length;
  }

  get index() {
    return Math.floor(this.position);
  }

  seek(position) {
    this.position = Math.min(this.length - 1, Math.max(0, position));
  }

  step(count) {
    this.isPlaying = false;
    this.seek(Math.round(this.position) + count);
  }

  play() {
    if (this.position >= this.length - 1) this.position = 0;
    this.isPlaying = true;
  }

  moment(now) {
    const elapsed = this.last === null ? 0 : Math.min(100, now - this.last);
    this.last = now;
    if (this.isPlaying) this.seek(this.position + (elapsed / PERIOD_MS) * this.speed);
    if (this.position >= this.length - 1) this.isPlaying = false;
    const before = this.frames[this.index];
    const after = this.frames[Math.min(this.index + 1, this.length - 1)];
    return { before, after, mix: this.position - this.index, frame: before.frame };
  }
}

/* A player between two frames. What jumps (a new life) is not smeared. */
const JUMP = 40;
export function mixPlayers(before, after, mix) {
  if (mix >= 1 || Math.hypot(after.x - before.x, after.y - before.y) > JUMP) return after;
  const blend = (name) => before[name] + (after[name] - before[name]) * mix;
  const discrete = mix < 0.5 ? before : after;
  return { ...discrete, x: blend("x"), y: blend("y"), shield: blend("shield") };
}
