/* One fighter's body on the canvas: it follows the poses of its actions smoothly,
 * plants its feet on the ground, and is drawn in the ink of its seat. */
import { actionPose } from "../world/actions.js";
import { characterOf } from "../world/characters.js";
import { bladePoint, drawMarksBehind, drawMarksFront } from "./marks.js";
import { JOINT, JOINT_COUNT, STRIKES, writePose } from "./poses.js";

/* Lengths over the figure's height. */
const THIGH = 0.23;
const SHIN = 0.23;
const TORSO = 0.29;
const BALL = { torso: 0.06, leg: 0.6 };
const UPPER_ARM = 0.165;
const FOREARM = 0.165;
const LIMB = 0.082; /* thickness */
const FOOT = 0.072;
const HAND = 0.056; /* radius, of bulk 1 */
const TRUNK = { shoulders: 0.1, waist: 0.066, round: 0.07 }; /* half widths, and of its corners */
const OUTLINE = 1.1; /* game units around the figure that stay clear */

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
      const last = first - j(`knee${name}`);
      const ankle = end(knee, last, SHIN * legs);
      return [hip, knee, ankle, end(ankle, last + Math.PI / 2, FOOT * legs)];
    };
    this.body = {
      hip, neck, radius, trunk: trunkOf(hip, shoulder, this.character),
      head: end(neck, up - j("head"), radius * 0.85),
      headAngle: tilt - j("lean") - j("head"),
      armNear: arm("Near"), armFar: arm("Far"), legNear: leg("Near"), legFar: leg("Far"),
    };
  }

  /* How far the hip is above the player's place. */
  #groundOffset() {
    const { body, character } = this;
    const half = (LIMB * character.height * character.bulk) / 2;
    const lowest = Math.min(...body.legNear.map(([, y]) => y), ...body.legFar.map(([, y]) => y),
      body.head[1] - body.radius + half);
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

  /* Hands, or a blade, and feet, in game units around the hip. */
  get tips() {
    const { body, character } = this;
    const { armNear, armFar, legNear, legFar } = body;
    const hasBlade = character.marks.includes("blade");
    const near = hasBlade ? bladePoint(body, 0.34 * character.height) : armNear[2];
    return [near, armFar[2], legNear[3], legFar[3]].map(([x, y]) =>
      ({ x: x * this.facing, y }));
  }

  /* The hip, in game units. */
  get place() {
    return { x: this.player.x, y: this.player.y + this.lift };
  }

  get isStriking() {
    return STRIKES.has(this.family);
  }

  /* context is in game units, y upwards. ink: {near, far, paper, flash}. */
  draw(context, ink) {
    const { player, character, family } = this;
    const thick = LIMB * character.height * character.bulk;
    const shake = player.hitlag > 0 ? 0.35 * Math.sin(performance.now() / 12) : 0;
    context.save();
    context.translate(player.x + shake, player.y + this.lift);
    context.scale(this.facing || 0.01, 1);
    context.lineCap = "round";
    context.lineJoin = "round";
    const { paper } = ink;
    this.#drawBody(context, { near: paper, far: paper, grip: paper }, thick, OUTLINE);
    const near = this.flash > 0 ? ink.flash : ink.near;
    const far = this.flash > 0 ? ink.flash : ink.far;
    drawMarksBehind(context, this.body, character, far);
    this.#drawBody(context, { near, far, grip: far }, thick, 0);
    if (family === "dodge") /* nothing can touch it: a hollow shape */
      this.#drawBody(context, { near: paper, far: paper, grip: paper }, thick, -0.6 * thick);
    else this.#drawSeams(context, paper, far, thick);
    drawMarksFront(context, this.body, character, near, paper);
    this.#drawEye(context, family === "dodge" ? near : paper);
    context.restore();
  }

  /* All parts, from the far ones to the near ones; grow is added to their width. */
  #drawBody(context, { near, far, grip }, thick, grow) {
    const { body } = this;
    const hand = HAND * this.character.height * this.character.bulk + grow / 2;
    drawLine(context, body.armFar, far, thick * 0.86 + grow);
    drawDot(context, body.armFar[2], hand * 0.94, far);
    drawLine(context, body.legFar, far, thick + grow);
    drawLine(context, body.legNear.slice(0, 3), near, thick + grow);
    drawLine(context, body.legNear.slice(2), grip, thick * 1.06 + grow);
    fillTrunk(context, body.trunk, near, this.#corner + grow);
    drawDot(context, body.head, body.radius + grow / 2, near);
    drawLine(context, body.armNear, near, thick * 0.9 + grow);
    drawDot(context, body.armNear[2], hand, grip);
  }

  get #corner() {
    return TRUNK.round * this.character.height * this.character.bulk;
  }

  /* What tells the near arm from the trunk, and a belt. */
  #drawSeams(context, paper, far, thick) {
    const { armNear, trunk, trunk: [left, right] } = this.body;
    drawLine(context, [mix(left, trunk[3], 0.22), mix(right, trunk[2], 0.22)], far, thick * 0.36);
    context.globalAlpha = 0.55;
    drawLine(context, armNear, paper, thick * 0.16);
    context.globalAlpha = 1;
  }

  /* Where the figure looks. */
  #drawEye(context, colour) {
    const { head, headAngle, radius } = this.body;
    const ahead = end(head, headAngle + Math.PI / 2, radius * 0.5);
    drawLine(context, [end(ahead, headAngle, -radius * 0.18), end(ahead, headAngle, radius * 0.18)],
      colour, radius * 0.3);
  }
}

const mix = ([ax, ay], [bx, by], part) => [ax + (bx - ax) * part, ay + (by - ay) * part];

/* Corners of the trunk: behind the hip, before it, before the shoulder, behind it. */
function trunkOf(hip, shoulder, { height, bulk }) {
  const length = Math.hypot(shoulder[0] - hip[0], shoulder[1] - hip[1]) || 1;
  const [x, y] = [(shoulder[1] - hip[1]) / length, (hip[0] - shoulder[0]) / length];
  const beside = ([px, py], width) => {
    const reach = (width - TRUNK.round / 2) * height * bulk;
    return [[px - x * reach, py - y * reach], [px + x * reach, py + y * reach]];
  };
  const [back, front] = beside(hip, TRUNK.waist);
  const [shoulderBack, shoulderFront] = beside(shoulder, TRUNK.shoulders);
  return [back, front, shoulderFront, shoulderBack];
}

function drawLine(context, points, colour, width) {
  if (width <= 0) return;
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(...points[0]);
  for (const point of points.slice(1)) context.lineTo(...point);
  context.stroke();
}

function drawDot(context, [x, y], radius, colour) {
  if (radius <= 0) return;
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function fillTrunk(context, corners, colour, width) {
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = Math.max(0.01, width);
  context.beginPath();
  context.moveTo(...corners[0]);
  for (const corner of corners.slice(1)) context.lineTo(...corner);
  context.closePath();
  context.fill();
  context.stroke();
}
