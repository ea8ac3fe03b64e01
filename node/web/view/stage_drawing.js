/* A stage as a drawing of its section: ground, platforms, a scale in game units,
 * and the frame beyond which a fighter is lost. */

const PLATFORM_THICKNESS = 1.8;
const HATCH_PITCH = 3.2;

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

function hatchPath({ edge, depth }) {
  const path = new Path2D();
  for (let x = -edge - depth; x < edge; x += HATCH_PITCH) {
    path.moveTo(x, 0);
    path.lineTo(x + depth, -depth);
  }
  return path;
}

const shapes = new Map();

function shapesOf(stage) {
  if (!shapes.has(stage.name))
    shapes.set(stage.name, { ground: groundPath(stage), hatch: hatchPath(stage) });
  return shapes.get(stage.name);
}

/* context in game units, y upwards. pixel: game units a pixel. */
export function drawBlastZones(context, stage, ink, pixel) {
  const { left, right, top, bottom } = stage.blast;
  context.strokeStyle = ink.ink;
  context.globalAlpha = 0.35;
  context.lineWidth = 1.5 * pixel;
  context.setLineDash([7 * pixel, 6 * pixel]);
  context.strokeRect(left, bottom, right - left, top - bottom);
  context.setLineDash([]);
  context.globalAlpha = 1;
}

export function drawStage(context, stage, ink, pixel) {
  const { ground, hatch } = shapesOf(stage);
  context.fillStyle = ink.slab;
  context.fill(ground);
  context.save();
  context.clip(ground);
  context.strokeStyle = ink.slabEdge;
  context.globalAlpha = 0.28;
  context.lineWidth = 0.45;
  context.stroke(hatch);
  context.restore();
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
  context.font = `${10 * pixelRatio}px ${ink.mono}`;
  context.textAlign = "center";
  context.textBaseline = "top";
  context.fillStyle = ink.slabEdge;
  for (const x of [-50, 0, 50]) {
    const [left, top] = place(x, -4.6);
    context.fillText(String(x), left, top);
  }
  context.fillStyle = ink.ink;
  context.globalAlpha = 0.6;
  context.textAlign = "left";
  const [left, top] = place(stage.blast.left, stage.blast.top);
  context.fillText("BLAST ZONE", left + 8 * pixelRatio, top + 8 * pixelRatio);
  context.globalAlpha = 1;
}
