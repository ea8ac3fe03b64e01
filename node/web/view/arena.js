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
import { drawWord } from "./lettering.js";
import { drawBlastZones, drawStage, drawStageLabels } from "./stage_drawing.js";

const SHIELD_FULL = 60;
const PIXEL_RATIO_MOST = 2; /* finer is not seen, and costs */
const ELAPSED_MOST = 0.1;

export class Arena {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.camera = new Camera();
    this.backdrop = new Backdrop();
    this.effects = new Effects();
    this.figures = [new Figure(0), new Figure(1)];
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
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
    const aspect = this.canvas.width / this.canvas.height;
    this.camera.update(stage, shown.map((figure) => figure.center),
      { aspect, elapsed, isCalm: this.calm.matches, covered: this.covered });
    this.#paint(scene, stage, shown);
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
      effects.trail(seat, figure.center, time);
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

  /* The name above a figure, or an arrow at the border when it is out of view. */
  #drawTag(figure, text, place) {
    const { context, canvas, pixelRatio: ratio } = this;
    const { center, height, seat } = figure;
    const [x, y] = place(center.x, center.y + 0.55 * height);
    const pad = 26 * ratio;
    const isOut = x < 0 || y < 0 || x > canvas.width || y > canvas.height;
    const at = [Math.min(canvas.width - pad, Math.max(pad, x)),
      Math.min(canvas.height - pad, Math.max(pad, y - 12 * ratio))];
    const fill = this.ink.seats[seat].near;
    drawWord(context, text || characterOf(figure.player.character).name, ...at,
      { font: { family: this.ink.sans, weight: 700 }, size: 13 * ratio, fill,
        halo: this.ink.paper });
    context.fillStyle = fill;
    if (isOut) this.#drawArrow(at, Math.atan2(y - at[1], x - at[0]), ratio);
  }

  #drawArrow([x, y], angle, ratio) {
    const { context } = this;
    context.save();
    context.translate(x + Math.cos(angle) * 14 * ratio, y + Math.sin(angle) * 14 * ratio);
    context.rotate(angle);
    context.beginPath();
    context.moveTo(9 * ratio, 0);
    context.lineTo(-3 * ratio, 7 * ratio);
    context.lineTo(-3 * ratio, -7 * ratio);
    context.fill();
    context.restore();
  }
}
