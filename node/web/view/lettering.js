/* Words on the canvas. Letters with a halo are costly to draw, so each word is
 * drawn once and copied from then on. */

const KEPT_MOST = 64;

const sprites = new Map();

function makeSprite(text, { font, size, fill, halo }) {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const face = `${font.weight} ${size}px ${font.family}`;
  context.font = face;
  const pad = Math.ceil(size * 0.35);
  canvas.width = Math.ceil(context.measureText(text).width) + 2 * pad;
  canvas.height = Math.ceil(size * 1.3) + 2 * pad;
  context.font = face;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = size * 0.28;
  if (halo) {
    context.strokeStyle = halo;
    context.strokeText(text, pad, canvas.height / 2);
  }
  context.fillStyle = fill;
  context.fillText(text, pad, canvas.height / 2);
  return canvas;
}

function spriteOf(text, style) {
  const key = [text, style.size, style.fill, style.halo, style.font.weight].join("\n");
  if (!sprites.has(key)) {
    if (sprites.size >= KEPT_MOST) sprites.delete(sprites.keys().next().value);
    sprites.set(key, makeSprite(text, style));
  }
  return sprites.get(key);
}

/* The width of a word with its halo, in pixels of the canvas. */
export const wordWidth = (text, style) => spriteOf(text, style).width;

/* Draws a word with its middle at x, y. style: {font: {family, weight}, size, fill,
 * halo}, in pixels of the canvas. */
export function drawWord(context, text, x, y, style) {
  const sprite = spriteOf(text, style);
  context.drawImage(sprite, Math.round(x - sprite.width / 2), Math.round(y - sprite.height / 2));
}
