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

const SHELL = "M104 66 C140 54 300 54 336 66 C392 70 418 122 428 188 C436 246 398 262 372 222 " +
  "C360 204 348 192 330 194 L110 194 C92 192 80 204 68 222 C42 262 4 246 12 188 " +
  "C22 122 48 70 104 66 Z";

const PICTURE = `
<svg viewBox="0 0 440 262" role="img" aria-label="Controller">
  ${bar("l", "L", 74, 18, 84, 30, -6)}${bar("r", "R", 282, 18, 84, 30, 6)}
  ${bar("z", "Z", 192, 18, 56, 24)}
  <path class="shell" d="${SHELL}"/>
  ${stick("main", 92, 118, 36)}${stick("c", 266, 166, 24)}
  ${round("start", "", 214, 104, 9)}
  ${round("a", "A", 346, 128, 25)}${round("b", "B", 306, 154, 15)}
  ${bar("x", "X", 381, 106, 26, 50, 12)}${bar("y", "Y", 312, 74, 54, 25, -10)}
  ${round("padUp", "", 168, 146, 8.5)}${round("padDown", "", 168, 182, 8.5)}
  ${round("padLeft", "", 150, 164, 8.5)}${round("padRight", "", 186, 164, 8.5)}
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
