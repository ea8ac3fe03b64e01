/* A stage as a drawing of its section: ground, platforms, a scale in game units,
 * and the frame beyond which a fighter is lost. */
import { drawWord } from "./lettering.js";

const PLATFORM_THICKNESS = 1.8;
const HATCH_PITCH = 4; /* game units from one line to the next */
const HATCH_PIXELS = 32; /* of the tile that is repeated */

function groundPath({ edge, depth }) {
  const path = new Path2D();
  path.moveTo(-edge, 0);
  path.lineTo(edge, 0);
  path.lineTo(edge - 1.5, -4);
  path.bezierCurveTo(edge * 0.82, -9, edge * 0.6, -depth * 0.9, edge * 0.22, -depth);
  path.lineTo(-edge * 0.22, -depth);
  path.bezierCurveTo(-edge * 0.6, -depth * 0.9, -edge * 0.82, -9, -edge + 1.5, -4);
  path.closePath();
  return path;
}

/* A tile of hatching, in game units once it is scaled. */
function hatchTile(ink) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = HATCH_PIXELS;
  const context = tile.getContext("2d", { alpha: false });
  context.fillStyle = ink.slab;
  context.fillRect(0, 0, HATCH_PIXELS, HATCH_PIXELS);
  context.strokeStyle = ink.slabEdge;
  context.globalAlpha = 0.26;
  context.lineWidth = HATCH_PIXELS * 0.085;
  context.beginPath();
  for (const shift of [-HATCH_PIXELS, 0, HATCH_PIXELS]) {
    context.moveTo(shift - 4, HATCH_PIXELS + 4);
    context.lineTo(shift + HATCH_PIXELS + 4, -4);
  }
  context.stroke();
  return tile;
}

const grounds = new Map();
let hatch = null;

function groundOf(stage) {
  if (!grounds.has(stage.name)) grounds.set(stage.name, groundPath(stage));
  return grounds.get(stage.name);
}

function hatchOf(context, ink) {
  if (hatch?.slab !== ink.slab) {
    const pattern = context.createPattern(hatchTile(ink), "repeat");
    pattern.setTransform(new DOMMatrix().scale(HATCH_PITCH / HATCH_PIXELS));
    hatch = { slab: ink.slab, pattern };
  }
  return hatch.pattern;
}

/* context in game units, y upwards. pixel: game units a pixel. */
export function drawBlastZones(context, stage, camera, ink, pixel) {
  const { left, right, top, bottom } = stage.blast;
  const reach = { x: camera.width / 2, y: camera.height / 2 };
  const isInView = left > camera.x - reach.x || right < camera.x + reach.x ||
    top < camera.y + reach.y || bottom > camera.y - reach.y;
  if (!isInView) return;
  context.strokeStyle = ink.ink;
  context.globalAlpha = 0.35;
  context.lineWidth = 1.5 * pixel;
  context.setLineDash([7 * pixel, 6 * pixel]);
  context.strokeRect(left, bottom, right - left, top - bottom);
  context.setLineDash([]);
  context.globalAlpha = 1;
}

export function drawStage(context, stage, ink, pixel) {
  context.fillStyle = hatchOf(context, ink);
  context.fill(groundOf(stage));
  context.fillStyle = ink.slabEdge;
  context.fillRect(-stage.edge, -1.1, 2 * stage.edge, 1.1);
  for (const { left, right, y } of stage.platforms) {
    context.fillStyle = ink.slab;
    context.fillRect(left, y - PLATFORM_THICKNESS, right - left, PLATFORM_THICKNESS);
    context.fillStyle = ink.slabEdge;
    context.fillRect(left, y - 0.7, right - left, 0.7);
  }
  drawTicks(context, stage, ink, pixel);
}

function drawTicks(context, { edge }, ink, pixel) {
  context.strokeStyle = ink.slabEdge;
  context.globalAlpha = 0.7;
  context.lineWidth = 1.2 * pixel;
  context.beginPath();
  for (let x = -Math.floor(edge / 10) * 10; x < edge; x += 10) {
    context.moveTo(x, -1.1);
    context.lineTo(x, x % 50 === 0 ? -4 : -2.4);
  }
  context.stroke();
  context.globalAlpha = 1;
}

/* Labels, in pixels: place(x, y) turns game units into them. */
export function drawStageLabels(context, stage, ink, place, pixelRatio) {
  const style = { font: { family: ink.mono, weight: 400 }, size: 10 * pixelRatio };
  for (const x of [-50, 0, 50])
    drawWord(context, String(x), ...place(x, -6.2), { ...style, fill: ink.slabEdge });
  const [left, top] = place(stage.blast.left, stage.blast.top);
  drawWord(context, "BLAST ZONE", left + 40 * pixelRatio, top + 14 * pixelRatio,
    { ...style, fill: ink.soft });
}
