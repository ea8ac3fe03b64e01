/* One fighter's body on the canvas: it follows the poses of its actions smoothly,
 * plants its feet on the ground, and is drawn in the ink of its seat. */
import { actionPose } from "../world/actions.js";
import { characterOf } from "../world/characters.js";
import { drawMarksBehind, drawMarksFront } from "./marks.js";
import { JOINT, JOINT_COUNT, writePose } from "./poses.js";

/* Lengths over the figure's height. */
const THIGH = 0.23;
const SHIN = 0.23;
const TORSO = 0.29;
const BALL = { torso: 0.06, leg: 0.6 };
const UPPER_ARM = 0.165;
const FOREARM = 0.165;
const LIMB = 0.088; /* thickness */
const TRUNK = 0.155;

const SETTLE_SECONDS = 0.045; /* time constant with which joints follow */
const TURN_SECONDS = 0.05;
const STRIDE_UNITS = 7.5; /* half a stride, in game units a height of 14 */
const FLASH_SECONDS = 0.16;

const end = ([x, y], angle, length) => [x + Math.sin(angle) * length, y - Math.cos(angle) * length];

export class Figure {
  constructor(seat) {
    this.seat = seat;
    this.joints = new Float64Array(JOINT_COUNT);
    this.target = new Float64Array(JOINT_COUNT);
    this.isFresh = true;
    this.phase = 0;
    this.flash = 0;
    this.facing = 1;
    this.lift = 0;
  }

  /* Forget what was shown: the next player is drawn as it is. */
  reset() {
    this.isFresh = true;
  }

  startFlash() {
    this.flash = FLASH_SECONDS;
  }

  /* Moves towards a player's state; time and elapsed in seconds. */
  update(player, time, elapsed) {
    const character = characterOf(player.character);
    const moved = this.isFresh ? 0 : player.x - this.player.x;
    this.phase += (moved * player.facing * 14 * Math.PI) / (STRIDE_UNITS * 2 * character.height);
    this.player = player;
    this.character = character;
    this.family = actionPose(player.action);
    writePose(this.target, this.family, { age: player.age, time, phase: this.phase });
    const follow = this.isFresh ? 1 : 1 - Math.exp(-elapsed / SETTLE_SECONDS);
    const turn = this.isFresh ? 1 : 1 - Math.exp(-elapsed / TURN_SECONDS);
    this.#followTilt();
    for (let i = 0; i < JOINT_COUNT; i++)
      this.joints[i] += (this.target[i] - this.joints[i]) * follow;
    this.facing += (player.facing - this.facing) * turn;
    this.flash = Math.max(0, this.flash - elapsed);
    this.#solve();
    this.lift += (this.#groundOffset() - this.lift) * follow;
    this.isFresh = false;
  }

  /* A full turn more or less is the same tilt: take the nearest. */
  #followTilt() {
    const turn = 2 * Math.PI;
    const gap = this.joints[JOINT.tilt] - this.target[JOINT.tilt];
    this.joints[JOINT.tilt] -= Math.round(gap / turn) * turn;
  }

  /* Places of the joints around the hip, facing right, in game units. */
  #solve() {
    const { height, head, marks } = this.character;
    const isBall = marks.includes("ball");
    const torso = height * (isBall ? BALL.torso : TORSO);
    const legs = height * (isBall ? BALL.leg : 1);
    const j = (name) => this.joints[JOINT[name]];
    const tilt = -j("tilt");
    const hip = [0, 0];
    const up = Math.PI + tilt - j("lean");
    const neck = end(hip, up, torso);
    const shoulder = end(hip, up, torso * 0.88);
    const radius = (head * height) / 10;
    const arm = (name) => {
      const first = tilt - j("lean") * 0.5 + j(`shoulder${name}`);
      const elbow = end(shoulder, first, UPPER_ARM * height);
      return [shoulder, elbow, end(elbow, first + j(`elbow${name}`), FOREARM * height)];
    };
    const leg = (name) => {
      const first = tilt + j(`hip${name}`);
      const knee = end(hip, first, THIGH * legs);
      return [hip, knee, end(knee, first - j(`knee${name}`), SHIN * legs)];
    };
    this.body = {
      hip, neck, radius,
      head: end(neck, up - j("head"), radius * 0.85),
      headAngle: tilt - j("lean") - j("head"),
      armNear: arm("Near"), armFar: arm("Far"), legNear: leg("Near"), legFar: leg("Far"),
    };
  }

  /* How far the hip is above the player's place. */
  #groundOffset() {
    const { body, character } = this;
    const half = (LIMB * character.height * character.bulk) / 2;
    const feet = [body.legNear[2][1], body.legFar[2][1], body.legNear[1][1], body.legFar[1][1]];
    const lowest = Math.min(...feet, body.hip[1], body.head[1] - body.radius + half);
    const planted = half - lowest;
    const floating = 0.48 * character.height;
    return this.player.onGround ? planted : floating;
  }

  get height() {
    return this.character.height;
  }

  /* The middle of the body, in game units. */
  get center() {
    return { x: this.player.x, y: this.player.y + this.lift + 0.1 * this.height };
  }

  /* context is in game units, y upwards. ink: {near, far, paper}. */
  draw(context, ink) {
    const { player, character, family } = this;
    const thick = LIMB * character.height * character.bulk;
    const shake = player.hitlag > 0 ? 0.35 * Math.sin(performance.now() / 12) : 0;
    context.save();
    context.translate(player.x + shake, player.y + this.lift);
    context.scale(this.facing || 0.01, 1);
    context.lineCap = "round";
    context.lineJoin = "round";
    context.globalAlpha = family === "dodge" ? 0.5 : 1;
    this.#drawLimbs(context, ink.paper, ink.paper, ink.paper, thick, 1.1);
    const near = this.flash > 0 ? ink.flash : ink.near;
    const far = this.flash > 0 ? ink.flash : ink.far;
    drawMarksBehind(context, this.body, character, far);
    this.#drawLimbs(context, near, far, ink.paper, thick, 0);
    drawMarksFront(context, this.body, character, near, ink.paper);
    context.restore();
  }

  #drawLimbs(context, near, far, eye, thick, outline) {
    const { body, character } = this;
    const stroke = (points, colour, width) => {
      context.strokeStyle = colour;
      context.lineWidth = width + outline;
      context.beginPath();
      context.moveTo(...points[0]);
      for (const point of points.slice(1)) context.lineTo(...point);
      context.stroke();
    };
    stroke(body.armFar, far, thick * 0.9);
    stroke(body.legFar, far, thick);
    stroke(body.legNear, near, thick);
    stroke([body.hip, body.neck], near, TRUNK * character.height * character.bulk);
    context.fillStyle = near;
    context.beginPath();
    context.arc(...body.head, body.radius + outline / 2, 0, 2 * Math.PI);
    context.fill();
    stroke(body.armNear, near, thick * 0.9);
    if (outline === 0) this.#drawSeams(context, eye, thick);
  }

  /* What tells the near arm from the trunk, and where the figure looks. */
  #drawSeams(context, paper, thick) {
    const { body } = this;
    context.strokeStyle = paper;
    context.lineWidth = thick * 0.16;
    context.globalAlpha *= 0.55;
    context.beginPath();
    context.moveTo(...body.armNear[0]);
    for (const point of body.armNear.slice(1)) context.lineTo(...point);
    context.stroke();
    context.globalAlpha /= 0.55;
    const ahead = end(body.head, body.headAngle + Math.PI / 2, body.radius * 0.5);
    context.lineWidth = body.radius * 0.3;
    context.beginPath();
    context.moveTo(...end(ahead, body.headAngle, -body.radius * 0.18));
    context.lineTo(...end(ahead, body.headAngle, body.radius * 0.18));
    context.stroke();
  }
}
