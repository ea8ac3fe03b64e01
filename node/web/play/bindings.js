/* Which key does what, for the two seats; kept in this browser. */
import { recall, remember } from "../store.js";
import { CONTROLS } from "./pad.js";

const STORE = "bindings";

const DEFAULTS = [
  { KeyA: "left", KeyD: "right", KeyW: "up", KeyS: "down", ShiftLeft: "walk", KeyJ: "a", KeyK: "b",
    Space: "x", KeyL: "y", KeyU: "l", KeyI: "z", KeyF: "cLeft", KeyH: "cRight", KeyT: "cUp",
    KeyG: "cDown" },
  { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", ControlRight: "walk",
    Comma: "a", Period: "b", Slash: "x", Quote: "z", ShiftRight: "l", Numpad4: "cLeft",
    Numpad6: "cRight", Numpad8: "cUp", Numpad5: "cDown" },
];

const KEY_NAMES = {
  Space: "Space", ShiftLeft: "⇧ left", ShiftRight: "⇧ right", ControlLeft: "Ctrl", Enter: "⏎",
  ControlRight: "Ctrl right", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓",
  Comma: ",", Period: ".", Slash: "/", Quote: "'", Semicolon: ";", BracketLeft: "[",
  BracketRight: "]", Backslash: "\\", Minus: "-", Equal: "=", Backquote: "`",
};

/* A key's name for people, from KeyboardEvent.code. */
export function keyName(code) {
  return KEY_NAMES[code] ?? code.replace(/^(Key|Digit)/, "").replace(/^Numpad/, "Num ");
}

const isControlMap = (map) => Object.values(map).every((control) => control in CONTROLS);
const isWhole = (seats) => seats.length === 2 && seats.every(isControlMap);

export class Bindings {
  constructor() {
    this.seats = recall(STORE, isWhole) ?? structuredClone(DEFAULTS);
    this.listeners = new Set();
  }

  onChange(listener) {
    this.listeners.add(listener);
  }

  control(seat, code) {
    return this.seats[seat][code];
  }

  /* The key bound to a control, or undefined. */
  key(seat, control) {
    return Object.keys(this.seats[seat]).find((code) => this.seats[seat][code] === control);
  }

  /* Gives a control this key alone; the key loses what it did before. */
  bind(seat, control, code) {
    for (const map of this.seats) delete map[code];
    delete this.seats[seat][this.key(seat, control)];
    this.seats[seat][code] = control;
    this.#changed();
  }

  restore() {
    this.seats = structuredClone(DEFAULTS);
    this.#changed();
  }

  #changed() {
    remember(STORE, this.seats);
    for (const listener of this.listeners) listener();
  }
}
