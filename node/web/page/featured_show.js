/* Show of the front page: the liveliest session of the validator, and the next
 * when that one has become dull. Where nothing is played, two scripted partners of
 * this page play a round. */
import { DEFAULT_STAGE } from "../world/stages.js";
import { MatchShow } from "./match_show.js";
import { attempt, say } from "./notices.js";
import { isDull } from "./session_index.js";

const DULL_MS = 2500; /* how long a session may be dull before the next is shown */
const EXHIBITION_AFTER_MS = 1500; /* how long nothing must be played before that */

export class FeaturedShow {
  constructor(app) {
    this.app = app;
    this.match = null;
    this.isBusy = false;
    this.since = performance.now();
    this.endIndex = app.index.onChange(() => this.#choose());
    this.#choose();
  }

  stop() {
    this.endIndex();
    this.isStopped = true;
    this.match?.stop();
  }

  get session() {
    return this.match?.session ?? null;
  }

  get latency() {
    return null;
  }

  #choose() {
    const { match, app } = this;
    const now = performance.now();
    const session = match?.live.session;
    const isOver = match?.live.isEnded;
    if (session && !isOver && !isDull(session)) this.dullSince = null;
    else this.dullSince ??= now;
    const isDone = !match || isOver || now - this.dullSince > DULL_MS;
    if (!isDone) return;
    const next = app.index.liveliest(match?.address);
    if (next) this.#watch(next.address);
    else if (!match || isOver) this.#exhibit(now);
  }

  #watch(address) {
    this.match?.stop();
    this.dullSince = null;
    this.match = new MatchShow(this.app, address);
    this.app.viewer.arena.reset();
    this.app.viewer.refresh();
  }

  async #exhibit(now) {
    const { app } = this;
    const isReady = app.index.isRead && !app.index.error && now - this.since > EXHIBITION_AFTER_MS;
    if (!isReady || this.isBusy || document.hidden) return;
    this.isBusy = true;
    const over = this.match;
    const address = await attempt(() => app.lobby.exhibition());
    if (address && !this.isStopped) this.#watch(address);
    if (over?.live.session && !over.live.isGone)
      await attempt(() => app.lobby.close(over.address, over.live.session));
    this.since = performance.now() + (address ? 0 : 5000);
    this.isBusy = false;
  }

  tick(now) {
    this.match?.tick(now);
  }

  scene(now) {
    const { app, match } = this;
    if (match) return match.scene(now);
    const cover = app.isConnected
      ? { title: "Looking for a match", text: "If nobody plays, two scripted partners will." }
      : { title: "No connection", text: "The validator does not answer yet. Trying again." };
    return { stage: DEFAULT_STAGE, moment: null, seats: 0, tags: [], badge: { text: "erx" }, cover,
      clock: "" };
  }

  actions() {
    const { app, match } = this;
    const list = [{ label: "Take a seat", isStrong: true, run: () => app.takeSeat() }];
    if (match)
      list.push({ label: "Next match", run: () => this.#next() },
        { label: "Stay with this one", run: () => app.go(`#/session/${match.address}`) },
        { label: "Replay", run: () => match.replay() });
    return list;
  }

  #next() {
    const next = this.app.index.liveliest(this.match?.address);
    if (next) this.#watch(next.address);
    else say("No other match", "This is the only one that is being played.");
  }
}
