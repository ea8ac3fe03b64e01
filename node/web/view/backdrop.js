/* The printed sheet behind a stage: a sky, one motif a stage, and a halftone
 * that thickens towards the ground. Drawn once a size, stage and theme. */

const OVERSCAN = 1.08; /* larger than the view, so that it can drift */
const DOT_PIXELS = 9;

function ellipse(context, x, y, rx, ry, isFilled) {
  context.beginPath();
  context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
  if (isFilled) context.fill();
  else context.stroke();
}

/* A silhouette below the heights of f at x from 0 to 1. */
function silhouette(context, w, h, f) {
  context.beginPath();
  context.moveTo(0, h);
  for (let i = 0; i <= 80; i++) context.lineTo((i / 80) * w, f(i / 80) * h);
  context.lineTo(w, h);
  context.fill();
}

/* A slope that rises and falls between the given heights. */
const ridge = (points) => (x) => {
  const at = x * (points.length - 1);
  const i = Math.min(points.length - 2, Math.floor(at));
  return points[i] + (points[i + 1] - points[i]) * (at - i);
};

/* Each draws with context.fillStyle and strokeStyle already set to the faint ink. */
const MOTIFS = {
  orbits(context, w, h) {
    const [x, y, r] = [w * 0.72, h * 0.34, h * 0.2];
    context.globalAlpha = 0.5;
    ellipse(context, x, y, r, r, true);
    context.globalAlpha = 0.8;
    for (const k of [1.35, 1.75, 2.3, 3.1]) ellipse(context, x, y, r * k, r * k * 0.3, false);
  },
  peaks(context, w, h) {
    context.globalAlpha = 0.45;
    silhouette(context, w, h, ridge([0.62, 0.38, 0.55, 0.3, 0.5, 0.42, 0.24, 0.52, 0.4, 0.6]));
    context.globalAlpha = 0.7;
    silhouette(context, w, h, ridge([0.7, 0.6, 0.72, 0.5, 0.68, 0.6, 0.74, 0.58, 0.66]));
  },
  hills(context, w, h) {
    context.globalAlpha = 0.5;
    ellipse(context, w * 0.24, h * 0.28, h * 0.11, h * 0.11, true);
    silhouette(context, w, h, (x) => 0.62 + 0.12 * Math.cos(x * 9));
    context.globalAlpha = 0.75;
    silhouette(context, w, h, (x) => 0.76 + 0.07 * Math.cos(x * 14 + 2));
  },
  ripples(context, w, h) {
    context.globalAlpha = 0.5;
    ellipse(context, w * 0.5, h * 0.32, h * 0.17, h * 0.17, true);
    context.globalAlpha = 0.8;
    for (let i = 0; i < 9; i++)
      ellipse(context, w * 0.5, h * 0.86, w * (0.06 + 0.07 * i), h * (0.012 + 0.022 * i), false);
  },
  lights(context, w, h) {
    context.globalAlpha = 0.28;
    for (const [from, lean] of [[0.12, 0.22], [0.34, 0.08], [0.66, -0.08], [0.88, -0.22]]) {
      context.beginPath();
      context.moveTo(w * from, 0);
      context.lineTo(w * (from + lean + 0.13), h * 0.9);
      context.lineTo(w * (from + lean - 0.13), h * 0.9);
      context.fill();
    }
    context.globalAlpha = 0.6;
    silhouette(context, w, h, (x) => 0.74 - 0.06 * Math.cos((x - 0.5) * 5));
  },
  pages(context, w, h) {
    context.globalAlpha = 0.3;
    for (let i = 0; i < 4; i++)
      silhouette(context, w, h, (x) => 0.4 + 0.13 * i + 0.05 * Math.sin(x * 7 + i * 1.9));
  },
};

/* Row by row: one path with all dots would take many times as long to fill. */
function halftone(context, w, h, pixelRatio) {
  const pitch = DOT_PIXELS * pixelRatio;
  context.globalAlpha = 0.5;
  for (let row = 0; row * pitch * 0.5 < h; row++) {
    const y = row * pitch * 0.5;
    const radius = pitch * 0.3 * Math.max(0, (y / h - 0.35) / 0.65) ** 1.4;
    if (radius < 0.25) continue;
    context.beginPath();
    for (let x = row % 2 ? pitch / 2 : 0; x < w; x += pitch) {
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
    context.fill();
  }
}

function paint(width, height, motif, ink, pixelRatio) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * OVERSCAN);
  canvas.height = Math.ceil(height * OVERSCAN);
  const context = canvas.getContext("2d", { alpha: false });
  const { width: w, height: h } = canvas;
  const sky = context.createLinearGradient(0, 0, 0, h);
  sky.addColorStop(0, ink.paper);
  sky.addColorStop(1, ink.sky);
  context.fillStyle = sky;
  context.fillRect(0, 0, w, h);
  context.fillStyle = context.strokeStyle = ink.faint;
  context.lineWidth = 1.4 * pixelRatio;
  context.save();
  MOTIFS[motif](context, w, h);
  context.restore();
  halftone(context, w, h, pixelRatio);
  return canvas;
}

export class Backdrop {
  constructor() {
    this.key = "";
  }

  /* Draws in pixels; camera and stage only make it drift a little. */
  draw(context, { width, height }, stage, camera, ink, pixelRatio) {
    const key = [width, height, stage.motif, ink.paper, ink.faint].join();
    if (key !== this.key) {
      this.key = key;
      this.sheet = paint(width, height, stage.motif, ink, pixelRatio);
    }
    const drift = (at, reach) => Math.min(1, Math.max(-1, at / reach)) * ((OVERSCAN - 1) / 2);
    const x = (-(OVERSCAN - 1) / 2 - drift(camera.x, stage.blast.right)) * width;
    const y = (-(OVERSCAN - 1) / 2 + drift(camera.y, stage.blast.top)) * height;
    context.drawImage(this.sheet, Math.round(x), Math.round(y));
  }
}
