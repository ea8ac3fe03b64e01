/* One session as the validator tells it: its frames as they are executed, and how
 * far it has been confirmed. */
import { ACTIVE, ENDED, WAITING } from "../chain/program.js";
import { DEFAULT_STAGE } from "../world/stages.js";
import { LiveTimeline } from "../world/timeline.js";

const SEEN_MOST = 36000; /* ten minutes */

export class LiveSession {
  /* onChange() when its status or players change. */
  constructor(validator, address, onChange) {
    Object.assign(this, { validator, address, onChange });
    this.timeline = new LiveTimeline();
    this.session = null;
    this.seen = [];
    this.isGone = false;
    this.confirmedFrame = 0;
    this.frameListeners = new Set();
    this.ends = [
      validator.watchSession(address, "processed", (session) => this.#take(session)),
      validator.watchSession(address, "confirmed", (session) => {
        this.confirmedFrame = session?.frame ?? this.confirmedFrame;
      }),
      validator.socket.onChange((isOpen) => isOpen && this.#read()),
    ];
  }

  stop() {
    for (const end of this.ends) end();
  }

  /* listener(frame, now) for each frame that arrives. */
  onFrame(listener) {
    this.frameListeners.add(listener);
  }

  get isActive() {
    return this.session?.status === ACTIVE;
  }

  get isWaiting() {
    return this.session?.status === WAITING;
  }

  get isEnded() {
    return this.isGone || this.session?.status === ENDED;
  }

  /* A subscription tells changes only: read once what is there. */
  async #read() {
    try {
      let session = await this.validator.session(this.address);
      if (session && session.status !== ENDED && !(await this.validator.holds(this.address)))
        session = null;
      if (session === null || !this.session || session.frame >= this.session.frame)
        this.#take(session);
    } catch {
      /* the socket's next opening asks again */
    }
  }

  #take(session) {
    const last = this.session;
    if (session?.status === ACTIVE && last?.status !== ACTIVE) this.timeline.reset();
    if (session === null) {
      this.isGone = true;
      this.onChange();
      return;
    }
    const isBack = this.isGone;
    this.isGone = false;
    this.session = session;
    const now = performance.now();
    if (session.status !== WAITING) this.#keep(session);
    this.timeline.push(session.frame, session.players, now);
    for (const listener of this.frameListeners) listener(session.frame, now);
    const isChanged = !last || isBack || last.status !== session.status ||
      last.seats[1] !== session.seats[1];
    if (isChanged) this.onChange();
  }

  /* Frames as they were seen, for who wants to look again. */
  #keep({ frame, players }) {
    const last = this.seen.at(-1)?.frame ?? -1;
    if (frame > last && this.seen.length < SEEN_MOST) this.seen.push({ frame, players });
  }

  /* The part of a scene that every view of a session shares. */
  scene(now) {
    const { session } = this;
    const limit = session?.maxFrames ? ` / ${session.maxFrames}` : "";
    const moment = session ? this.timeline.moment(now) : null;
    return {
      stage: session?.stage ?? DEFAULT_STAGE,
      moment,
      seats: this.isWaiting ? 1 : 2,
      clock: moment ? `frame ${moment.frame}${limit}` : "",
    };
  }
}
