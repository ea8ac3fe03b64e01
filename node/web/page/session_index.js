/* All sessions of the validator, asked for again and again while the page is seen. */
import { ACTIVE, WAITING } from "../chain/program.js";
import { isInside, stageOf } from "../world/stages.js";

const POLL_MS = 2000;

/* Higher is better to look at: young, both fighters in sight. */
function liveliness({ status, stage, players, frame, maxFrames }) {
  if (status !== ACTIVE) return -1;
  const { edge } = stageOf(stage);
  const near = players.filter((p) => Math.abs(p.x) < edge * 1.3 && p.y > -20 && p.y < 90).length;
  const inside = players.filter((p) => isInside(stageOf(stage), p)).length;
  const left = maxFrames ? Math.max(0, 1 - frame / maxFrames) : 1 / (1 + frame / 600);
  return 4 * near + 2 * inside + 2 * left;
}

export class SessionIndex {
  constructor(validator) {
    this.validator = validator;
    this.entries = [];
    this.error = null;
    this.isRead = false;
    this.listeners = new Set();
    this.#poll();
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
  }

  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async #poll() {
    if (!document.hidden) await this.refresh();
    setTimeout(() => this.#poll(), POLL_MS);
  }

  async refresh() {
    try {
      this.entries = await this.validator.sessions();
      this.error = null;
      this.isRead = true;
    } catch (error) {
      this.error = error;
    }
    for (const listener of this.listeners) listener();
  }

  get(address) {
    return this.entries.find((entry) => entry.address === address)?.session ?? null;
  }

  /* The active session most worth watching, or null. */
  liveliest(except = null) {
    const ranked = this.entries
      .filter(({ address, session }) => session.status === ACTIVE && address !== except)
      .map((entry) => ({ ...entry, score: liveliness(entry.session) }))
      .sort((a, b) => b.score - a.score);
    return ranked[0] ?? null;
  }

  /* Sessions with an open seat, newest first. */
  get waiting() {
    return this.entries.filter(({ session }) => session.status === WAITING)
      .sort((a, b) => b.session.createdAt - a.session.createdAt);
  }
}

/* Whether a session has become dull: somebody has long been out of the world. */
export function isDull(session) {
  const stage = stageOf(session.stage);
  return session.players.filter((player) => isInside(stage, player)).length < 2;
}
