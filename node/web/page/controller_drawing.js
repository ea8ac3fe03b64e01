/* The controller as a drawing that lights up with what is held down. */
import { BUTTON, STICK_MOST } from "../play/pad.js";

const KNOB_REACH = 15;

const round = (name, label, x, y, r) =>
  `<circle class="part" data-part="${name}" cx="${x}" cy="${y}" r="${r}"/>` +
  `<text x="${x}" y="${y}">${label}</text>`;
const bar = (name, label, x, y, w, h, turn = 0) =>
  `<g transform="rotate(${turn} ${x + w / 2} ${y + h / 2})">` +
  `<rect class="part" data-part="${name}" x="${x}" y="${y}" width="${w}" height="${h}" rx="9"/>` +
  `<text x="${x + w / 2}" y="${y + h / 2}">${label}</text></g>`;
const stick = (name, x, y, r) =>
  `<circle class="well" cx="${x}" cy="${y}" r="${r}"/>` +
  `<circle class="knob" data-stick="${name}" cx="${x}" cy="${y}" r="${r * 0.62}"/>`;

const SHELL = "M96 62 C130 44 310 44 344 62 C398 66 424 128 432 190 C438 244 402 262 376 226 " +
  "L346 186 C318 202 122 202 94 186 L64 226 C38 262 2 244 8 190 C16 128 42 66 96 62 Z";

const PICTURE = `
<svg viewBox="0 0 440 262" role="img" aria-label="Controller">
  ${bar("l", "L", 72, 26, 76, 24, -8)}${bar("r", "R", 292, 26, 76, 24, 8)}
  ${bar("z", "Z", 226, 34, 52, 18, 4)}
  <path class="shell" d="${SHELL}"/>
  ${stick("main", 100, 118, 34)}${stick("c", 286, 176, 26)}
  ${round("start", "", 220, 112, 9)}
  ${round("a", "A", 340, 116, 25)}${round("b", "B", 296, 138, 15)}
  ${bar("x", "X", 376, 92, 24, 44, 20)}${bar("y", "Y", 314, 72, 44, 24, -14)}
  ${round("padUp", "", 152, 158, 8)}${round("padDown", "", 152, 194, 8)}
  ${round("padLeft", "", 134, 176, 8)}${round("padRight", "", 170, 176, 8)}
</svg>`;

export class ControllerDrawing {
  constructor(root) {
    root.innerHTML = PICTURE;
    this.parts = [...root.querySelectorAll("[data-part]")];
    this.sticks = Object.fromEntries([...root.querySelectorAll("[data-stick]")]
      .map((knob) => [knob.dataset.stick, knob]));
  }

  show(pad) {
    for (const part of this.parts)
      part.classList.toggle("lit", (pad.buttons & BUTTON[part.dataset.part]) !== 0);
    this.#move(this.sticks.main, pad.stickX, pad.stickY);
    this.#move(this.sticks.c, pad.cX, pad.cY);
  }

  #move(knob, x, y) {
    const place = `translate(${(x / STICK_MOST) * KNOB_REACH} ${(-y / STICK_MOST) * KNOB_REACH})`;
    if (knob.getAttribute("transform") === place) return;
    knob.setAttribute("transform", place);
    knob.classList.toggle("moved", x !== 0 || y !== 0);
  }
}
