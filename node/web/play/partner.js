/* A scripted partner: presses the buttons of one seat like a patient beginner.
 * It sees what everyone sees, and its inputs are transactions like anyone's. */
import { padFromControls } from "./pad.js";
import { stageOf } from "../world/stages.js";

const REACH = 14; /* game units at which it strikes */
const NERVE = 0.82; /* how much of the stage it dares to use */

const STRIKES = [["a"], ["a", "toward"], ["a", "up"], ["a", "down"], ["b"], ["z"], ["cToward"]];

const chance = (probability) => Math.random() < probability;
const pick = (list) => list[Math.floor(Math.random() * list.length)];

export class Partner {
  constructor(seat) {
    this.seat = seat;
    this.plan = [];
    this.until = 0;
  }

  /* The pad for a frame of a session. */
  pad(frame, stageId, players) {
    if (frame >= this.until || frame < this.until - 60) this.#decide(frame, stageId, players);
    return padFromControls(new Set(this.plan));
  }

  #hold(frame, count, ...controls) {
    this.plan = controls;
    this.until = frame + count;
  }

  #decide(frame, stageId, players) {
    const me = players[this.seat];
    const other = players[1 - this.seat];
    const { edge } = stageOf(stageId);
    const toward = other.x > me.x ? "right" : "left";
    const home = me.x > 0 ? "left" : "right";
    const gap = Math.abs(other.x - me.x);
    if (this.plan.length && chance(0.35)) return this.#hold(frame, 3 + 6 * Math.random());
    if (Math.abs(me.x) > edge * NERVE)
      return this.#hold(frame, 14, home, ...(me.onGround && me.y > -4 ? [] : ["x"]));
    if (gap < REACH) return this.#strike(frame, toward);
    if (other.y > me.y + 18 && chance(0.6)) return this.#hold(frame, 10, toward, "x");
    if (chance(0.12)) return this.#hold(frame, 18, "l");
    if (chance(0.18)) return this.#hold(frame, 12, "x", toward);
    return this.#hold(frame, 10 + 16 * Math.random(), toward, ...(chance(0.3) ? ["walk"] : []));
  }

  #strike(frame, toward) {
    if (chance(0.2)) return this.#hold(frame, 16, "l");
    const smash = toward === "left" ? "cLeft" : "cRight";
    const name = { toward, cToward: smash };
    return this.#hold(frame, 5, ...pick(STRIKES).map((control) => name[control] ?? control));
  }
}
