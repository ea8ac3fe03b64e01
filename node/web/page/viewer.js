/* The screen: asks what is on (a "show") for its scene once a display frame, draws
 * it, and keeps the texts around it true.
 *
 * A show has: scene(now) → {stage, moment, seats, tags, badge, cover, clock},
 * actions() → [{label, isStrong, run}], stop(), and optionally tick(now) and
 * session (a LiveSession). It calls viewer.refresh() when its actions change. */
import { Arena } from "../view/arena.js";
import { actionName } from "../world/actions.js";
import { characterOf } from "../world/characters.js";
import { stageOf } from "../world/stages.js";
import { actionButton, byId, element, setText } from "./dom.js";
import { Hud } from "./hud.js";
import { attempt } from "./notices.js";

const TEXT_MS = 66; /* texts are read, not watched */
const DESCRIBE_MS = 3000;

export class Viewer {
  constructor() {
    this.canvas = byId("canvas");
    this.arena = new Arena(this.canvas);
    this.hud = new Hud(byId("hud"));
    this.isPlaying = false; /* hands of this page */
    this.isSeen = true; /* false while the canvas is scrolled away */
    new IntersectionObserver(([{ isIntersecting }]) => (this.isSeen = isIntersecting))
      .observe(this.canvas);
    new ResizeObserver(() => this.#measure()).observe(byId("screen"));
    this.badge = byId("badge");
    this.textAt = 0;
    this.describedAt = 0;
    this.displayTimes = []; /* of the last display frames, ms */
    this.listeners = new Set();
    requestAnimationFrame((now) => this.#frame(now));
  }

  /* How much of the canvas the cards lie over. */
  #measure() {
    const { bottom, height } = this.canvas.getBoundingClientRect();
    const { top } = byId("hud").getBoundingClientRect();
    this.arena.covered = Math.min(0.5, Math.max(0, (bottom - top) / height));
  }

  /* listener(scene, now) some times a second. */
  onText(listener) {
    this.listeners.add(listener);
  }

  play(show) {
    this.show?.stop();
    this.show = show;
    this.arena.reset();
    this.actionsKey = null;
    this.refresh();
  }

  refresh() {
    const actions = this.show.actions();
    const key = actions.map(({ label }) => label).join("|");
    if (key === this.actionsKey) return;
    this.actionsKey = key;
    const act = async (run) => {
      await attempt(run);
      if (this.isPlaying) this.canvas.focus({ preventScroll: true }); /* the play goes on */
    };
    byId("deck").replaceChildren(...actions.map(({ label, isStrong, run }) =>
      actionButton(label, () => act(run), { class: isStrong ? "strong" : null })));
  }

  /* Display frames a second over the last second. */
  get displayRate() {
    const times = this.displayTimes;
    const span = times.at(-1) - times[0];
    return span > 0 ? (1000 * (times.length - 1)) / span : 0;
  }

  #frame(now) {
    requestAnimationFrame((next) => this.#frame(next));
    this.displayTimes.push(now);
    while (now - this.displayTimes[0] > 1000) this.displayTimes.shift();
    const { show } = this;
    if (!show) return;
    show.tick?.(now);
    const scene = show.scene(now);
    if (this.isSeen) this.arena.draw(scene, now);
    if (now - this.textAt < TEXT_MS) return;
    this.textAt = now;
    this.#write(scene, now);
    for (const listener of this.listeners) listener(scene, now);
  }

  #write(scene, now) {
    const players = scene.moment ? scene.moment.before.players.slice(0, scene.seats) : [];
    this.hud.update(players, scene.tags);
    this.hud.clear(this.arena.places(), this.canvas.getBoundingClientRect());
    this.badge.classList.toggle("is-live", scene.badge.isLive);
    setText(this.badge.firstChild, scene.badge.text);
    setText(this.badge.lastChild, scene.badge.note ?? "");
    setText(byId("clock"), scene.clock);
    this.#cover(scene.cover);
    if (now - this.describedAt > DESCRIBE_MS) {
      this.describedAt = now;
      this.canvas.setAttribute("aria-label", describe(scene.stage, players));
    }
  }

  #cover(cover) {
    const key = cover ? cover.title + cover.text : "";
    if (key === this.coverKey) return;
    this.coverKey = key;
    const root = byId("cover");
    root.hidden = !cover;
    root.replaceChildren(...(cover
      ? [element("h2", {}, cover.title), element("p", {}, cover.text)] : []));
  }
}

/* The scene in words, for those who do not see it. */
function describe(stage, players) {
  const said = players.map((player) => {
    const place = player.onGround ? "on the ground" : "in the air";
    return `${characterOf(player.character).name} is ${actionName(player.action)} ${place} with ` +
      `${Math.round(player.percent)} percent`;
  });
  return [stageOf(stage).name, ...said].join(". ");
}
