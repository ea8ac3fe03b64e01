/* The controls: the drawn controller, and the keys, which light up while held and
 * can be bound anew. */
import { keyName } from "../play/bindings.js";
import { CONTROLS } from "../play/pad.js";
import { ControllerDrawing } from "./controller_drawing.js";
import { byId, element, setText } from "./dom.js";

const HINTS = [["move", "left", "right", "up", "down"], ["attack", "a"], ["special", "b"],
  ["jump", "x"], ["shield", "l"], ["grab", "z"]];

export class ControlsPanel {
  constructor(app) {
    this.app = app;
    this.seat = 0;
    this.drawing = new ControllerDrawing(byId("controller"));
    this.keys = new Map();
    this.#build();
    app.bindings.onChange(() => this.#label());
    app.hands.onChange(() => this.#light());
    app.viewer.onText(() => this.#light());
  }

  #build() {
    this.tabs = ["First keys", "Second keys"].map((label, seat) =>
      element("button", { type: "button", "aria-pressed": String(seat === 0),
        onclick: () => this.#choose(seat) }, label));
    const list = element("ul", {}, ...Object.entries(CONTROLS).map(([control, label]) => {
      const key = element("button", { type: "button", class: "key",
        onclick: () => this.#ask(control) });
      this.keys.set(control, key);
      return element("li", {}, element("span", {}, label), key);
    }));
    const restore = element("button", { type: "button",
      onclick: () => this.app.bindings.restore() }, "Default keys");
    byId("bindings").replaceChildren(
      element("div", { class: "filters" }, ...this.tabs, restore), list,
      element("p", { class: "note" }, "Choose a key to bind another; Escape leaves it. Both sets " +
        "move your fighter when you play one seat. Gamepads work as soon as a button is pressed; " +
        "phones show a stick and buttons under the match."));
    this.#label();
  }

  /* Under the match, while it is played. */
  #hint() {
    const { app } = this;
    const key = (control) => element("kbd", {}, this.#name(0, control));
    byId("hint").replaceChildren(...(app.hands.isPlaying ? HINTS.flatMap(([label, ...controls]) =>
      [...controls.map(key), ` ${label}   `]) : []));
  }

  #name(seat, control) {
    const code = this.app.bindings.key(seat, control);
    return code ? keyName(code) : "—";
  }

  #choose(seat) {
    this.seat = seat;
    this.tabs.forEach((tab, i) => tab.setAttribute("aria-pressed", String(i === seat)));
    this.#label();
  }

  #label() {
    for (const [control, key] of this.keys) {
      setText(key, this.#name(this.seat, control));
      key.setAttribute("aria-label", `${CONTROLS[control]}: ${key.textContent}. Bind another key`);
    }
    this.#hint();
  }

  /* Waits for the key that shall do this. */
  #ask(control) {
    const key = this.keys.get(control);
    const end = () => {
      removeEventListener("keydown", onKey, true);
      key.removeEventListener("blur", end);
      key.classList.remove("is-asking");
      this.#label();
    };
    const onKey = (event) => {
      if (event.code === "Tab") return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (event.code !== "Escape") this.app.bindings.bind(this.seat, control, event.code);
      end();
    };
    key.classList.add("is-asking");
    setText(key, "press…");
    addEventListener("keydown", onKey, true);
    key.addEventListener("blur", end);
  }

  #light() {
    const { hands } = this.app;
    if (hands.isPlaying !== this.wasPlaying) this.#hint();
    this.wasPlaying = hands.isPlaying;
    const held = hands.held(this.seat);
    for (const [control, key] of this.keys) key.classList.toggle("is-down", held.has(control));
    this.drawing.show(hands.pads([0])[0]);
  }
}
