/* A stick and buttons for phones, shown while a seat is played by touch. */
import { STICK_MOST, emptyPad, padFromControls } from "../play/pad.js";
import { byId, element } from "./dom.js";

const REACH = 44; /* pixels from the middle to where the stick is held fully */
const DEAD = 0.2;
const BUTTONS = [["l", "Shield"], ["z", "Grab"], ["x", "Jump"], ["b", "Special"], ["a", "Attack"]];

export class TouchPad {
  constructor(app) {
    this.app = app;
    this.root = byId("touch");
    this.held = new Set();
    this.stick = { x: 0, y: 0 };
    this.knob = element("i");
    this.well = element("div", { class: "well", "aria-hidden": "true" }, this.knob);
    this.root.replaceChildren(this.well,
      element("div", { class: "pads" },
        ...BUTTONS.map(([name, label]) => this.#button(name, label))));
    for (const type of ["pointerdown", "pointermove", "pointerup", "pointercancel"])
      this.well.addEventListener(type, (event) => this.#stick(event));
    this.root.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /* Shown while playing, where fingers are what there is to play with. */
  show(isPlaying) {
    this.root.hidden = !(isPlaying && matchMedia("(any-pointer: coarse)").matches);
    if (this.root.hidden) this.held.clear();
  }

  #button(name, label) {
    const button = element("button", { type: "button", "data-part": name }, label);
    const set = (isDown) => {
      button.classList.toggle("is-down", isDown);
      if (isDown) this.held.add(name);
      else this.held.delete(name);
      this.#send();
    };
    button.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      button.setPointerCapture(event.pointerId);
      set(true);
    });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"])
      button.addEventListener(type, () => set(false));
    return button;
  }

  #stick(event) {
    event.preventDefault();
    const isEnd = event.type === "pointerup" || event.type === "pointercancel";
    if (event.type === "pointerdown") this.well.setPointerCapture(event.pointerId);
    else if (!isEnd && !this.well.hasPointerCapture(event.pointerId)) return;
    const box = this.well.getBoundingClientRect();
    const x = (event.clientX - box.left - box.width / 2) / REACH;
    const y = (event.clientY - box.top - box.height / 2) / REACH;
    const length = Math.hypot(x, y);
    const scale = isEnd || length < DEAD ? 0 : 1 / Math.max(1, length);
    this.stick = { x: x * scale, y: y * scale };
    this.knob.style.transform = `translate(${this.stick.x * REACH}px, ${this.stick.y * REACH}px)`;
    this.#send();
  }

  #send() {
    const pad = this.held.size ? padFromControls(this.held) : emptyPad();
    pad.stickX = Math.round(this.stick.x * STICK_MOST);
    pad.stickY = Math.round(-this.stick.y * STICK_MOST);
    this.app.hands.setTouch(pad);
  }
}
