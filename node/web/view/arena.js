/* The canvas: a moment of a timeline in, a picture out. It owns figures, camera
 * and effects, knows nothing of sessions, and draws once a display frame. */
import { mixPlayers } from "../world/timeline.js";
import { stageOf } from "../world/stages.js";
import { characterOf } from "../world/characters.js";
import { Backdrop } from "./backdrop.js";
import { Camera } from "./camera.js";
import { Effects } from "./effects.js";
import { Figure } from "./figure.js";
import { onInkChange, readInk } from "./ink.js";
import { drawWord, wordWidth } from "./lettering.js";
import { drawBlastZones, drawStage, drawStageLabels } from "./stage_drawing.js";

const SHIELD_FULL = 60;
const PIXEL_RATIO_MOST = 2; /* finer is not seen, and costs */
const ELAPSED_MOST = 0.1;
const ARROW = 24; /* room for one at the border, CSS pixels */

const clamp = (value, least, most) => Math.max(least, Math.min(most, value));

export class Arena {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.camera = new Camera();
    this.backdrop = new Backdrop();
    this.effects = new Effects();
    this.figures = [new Figure(0), new Figure(1)];
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.shown = 0; /* figures */
    this.covered = 0; /* part of the canvas, at its bottom, that the page lies over */
    this.ink = readInk();
    onInkChange(() => (this.ink = readInk()));
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
    this.lastTime = null;
  }

  /* Forget what was shown, for another session or a jump in time. */
  reset() {
    this.camera.reset();
    this.effects.reset();
    for (const figure of this.figures) figure.reset();
    this.lastFrame = null;
  }

  #resize() {
    this.pixelRatio = Math.min(PIXEL_RATIO_MOST, devicePixelRatio || 1);
    const { width, height } = this.canvas.getBoundingClientRect();
    this.canvas.width = Math.max(1, Math.round(width * this.pixelRatio));
    this.canvas.height = Math.max(1, Math.round(height * this.pixelRatio));
  }

  /* scene: {stage: number, moment, tags: [text a seat], seats: how many are
   * taken}; now in ms. */
  draw(scene, now) {
    const time = now / 1000;
    const elapsed = this.lastTime === null ? 0 : Math.min(ELAPSED_MOST, time - this.lastTime);
    this.lastTime = time;
    const stage = stageOf(scene.stage);
    const players = this.#players(scene);
    this.#advance(scene, stage, players, time, elapsed);
    const shown = this.figures.slice(0, players.length);
    this.shown = shown.length;
    const aspect = this.canvas.width / this.canvas.height;
    this.camera.update(stage, shown.map((figure) => figure.center),
      { aspect, elapsed, isCalm: this.calm.matches, covered: this.covered });
    this.#paint(scene, stage, shown);
  }

  /* Where the figures are, over the size of the canvas, from its top left. */
  places() {
    const { camera, figures, shown } = this;
    return figures.slice(0, shown).map(({ center }) => ({
      x: 0.5 + (center.x - camera.x) / camera.width,
      y: 0.5 - (center.y - camera.y) / camera.height,
    }));
  }

  #players({ moment, seats }) {
    if (!moment) return [];
    const { before, after, mix } = moment;
    return before.players.slice(0, seats)
      .map((player, seat) => mixPlayers(player, after.players[seat], mix));
  }

  #advance({ moment }, stage, players, time, elapsed) {
    const { effects, calm } = this;
    const isNew = moment && moment.frame !== this.lastFrame;
    this.lastFrame = moment?.frame ?? null;
    players.forEach((player, seat) => {
      const figure = this.figures[seat];
      figure.update(player, time, elapsed);
      if (calm.matches) return;
      const exact = moment.before.players[seat];
      if (isNew) effects.observe(seat, exact, stage, () => figure.startFlash());
      effects.follow(figure, time);
    });
    effects.update(elapsed);
  }

  #paint(scene, stage, figures) {
    const { context, canvas, camera, ink, effects } = this;
    const scale = camera.scale(canvas.width);
    const place = (x, y) => [
      canvas.width / 2 + (x - camera.x) * scale, canvas.height / 2 - (y - camera.y) * scale];
    context.setTransform(1, 0, 0, 1, 0, 0);
    this.backdrop.draw(context, canvas, stage, camera, ink, this.pixelRatio);
    context.setTransform(scale, 0, 0, -scale, ...place(0, 0));
    drawBlastZones(context, stage, camera, ink, this.pixelRatio / scale);
    drawStage(context, stage, ink, this.pixelRatio / scale);
    effects.drawTrails(context, ink);
    for (const figure of [...figures].reverse()) {
      effects.drawSwings(context, figure, ink);
      figure.draw(context, ink.seats[figure.seat]);
      this.#drawShield(figure);
    }
    effects.drawParticles(context, ink);
    context.setTransform(1, 0, 0, 1, 0, 0);
    drawStageLabels(context, stage, ink, place, this.pixelRatio);
    for (const figure of figures) this.#drawTag(figure, scene.tags[figure.seat], place);
  }

  #drawShield({ family, player, center, height, seat }) {
    if (family !== "shield") return;
    const { context, ink } = this;
    const strength = Math.max(0, Math.min(1, player.shield / SHIELD_FULL));
    const radius = height * (0.28 + 0.47 * strength);
    context.fillStyle = context.strokeStyle = ink.seats[seat].near;
    context.lineWidth = 0.5;
    context.beginPath();
    context.arc(center.x, center.y, radius, 0, 2 * Math.PI);
    context.globalAlpha = 0.26;
    context.fill();
    context.globalAlpha = 0.9;
    context.stroke();
    context.globalAlpha = 1;
  }

  /* The name above a figure; at the border, behind an arrow, when it is out of view. */
  #drawTag(figure, text, place) {
    const { context, canvas, pixelRatio: ratio, ink } = this;
    const { center, height, seat } = figure;
    const word = text || characterOf(figure.player.character).name;
    const fill = ink.seats[seat].near;
    const style = { font: { family: ink.sans, weight: 700 }, size: 13 * ratio, fill,
      halo: ink.paper };
    const [x, y] = place(center.x, center.y + 0.55 * height);
    const isOut = x < 0 || y < 0 || x > canvas.width || y > canvas.height;
    const pad = [wordWidth(word, style) / 2 + (isOut ? ARROW : 4) * ratio,
      (isOut ? ARROW + 8 : 14) * ratio];
    const at = [clamp(x, pad[0], canvas.width - pad[0]),
      clamp(y - 12 * ratio, pad[1], canvas.height - pad[1])];
    drawWord(context, word, ...at, style);
    if (!isOut) return;
    const edge = ARROW * 0.45 * ratio;
    const tip = [clamp(x, edge, canvas.width - edge), clamp(y, edge, canvas.height - edge)];
    context.fillStyle = fill;
    this.#drawArrow(tip, Math.atan2(y - tip[1], x - tip[0]), ratio);
  }

  #drawArrow([x, y], angle, ratio) {
    const { context } = this;
    context.save();
    context.translate(x, y);
    context.rotate(angle);
    context.beginPath();
    context.moveTo(8 * ratio, 0);
    context.lineTo(-5 * ratio, 7 * ratio);
    context.lineTo(-5 * ratio, -7 * ratio);
    context.fill();
    context.restore();
  }
}
