/* What the person at this page holds down: keys, gamepads, touch. One pad a
 * seat that is played here. */
import { combinePads, emptyPad, padFromControls, STICK_MOST } from "./pad.js";

/* Buttons of the standard gamepad, by index. */
const GAMEPAD_BUTTONS = ["a", "b", "x", "y", "z", "z", "l", "r", null, "start", null, null, "padUp",
  "padDown", "padLeft", "padRight"];
const DEAD_ZONE = 0.18;
const TRIGGER_INDEX = { l: 6, r: 7 };

/* Places where keys mean what they always mean, and where only some of them do. */
const OWN_KEYS = "input, select, textarea, dialog, [role=slider]";
const PRESSED = "button, a, summary";
const PRESSING = new Set(["Space", "Enter", "NumpadEnter"]);

function axisValue(value) {
  return Math.abs(value ?? 0) < DEAD_ZONE ? 0 : Math.round(value * STICK_MOST);
}

function padFromGamepad(gamepad) {
  const held = new Set();
  gamepad.buttons.forEach((button, index) => {
    if (button.pressed && GAMEPAD_BUTTONS[index]) held.add(GAMEPAD_BUTTONS[index]);
  });
  const pad = padFromControls(held);
  const [x, y, cX, cY] = gamepad.axes;
  Object.assign(pad, { stickX: axisValue(x), stickY: -axisValue(y), cX: axisValue(cX),
    cY: -axisValue(cY) });
  pad.left = Math.round((gamepad.buttons[TRIGGER_INDEX.l]?.value ?? 0) * 255);
  pad.right = Math.round((gamepad.buttons[TRIGGER_INDEX.r]?.value ?? 0) * 255);
  return pad;
}

export class Hands {
  constructor(bindings) {
    this.bindings = bindings;
    this.keys = new Set();
    this.touch = emptyPad();
    this.isPlaying = false;
    this.listeners = new Set();
    addEventListener("keydown", (event) => this.#key(event, true));
    addEventListener("keyup", (event) => this.#key(event, false));
    addEventListener("blur", () => this.release());
  }

  /* listener() at once when a key or a touch changes; gamepads are asked for. */
  onChange(listener) {
    this.listeners.add(listener);
  }

  offChange(listener) {
    this.listeners.delete(listener);
  }

  release() {
    this.keys.clear();
    this.touch = emptyPad();
    this.#changed();
  }

  setTouch(pad) {
    this.touch = pad;
    this.#changed();
  }

  #key(event, isDown) {
    const isBound = [0, 1].some((seat) => this.bindings.control(seat, event.code));
    if (!isBound || (isDown && this.#isElsewhere(event))) return;
    if (this.isPlaying) event.preventDefault();
    if (isDown === this.keys.has(event.code)) return;
    if (isDown) this.keys.add(event.code);
    else this.keys.delete(event.code);
    this.#changed();
  }

  #isElsewhere({ target, ctrlKey, metaKey, altKey, code }) {
    const isShortcut = (ctrlKey && !code.startsWith("Control")) || metaKey || altKey;
    const places = PRESSING.has(code) ? `${OWN_KEYS}, ${PRESSED}` : OWN_KEYS;
    return isShortcut || (target instanceof Element && target.closest(places) !== null);
  }

  #changed() {
    for (const listener of this.listeners) listener();
  }

  /* Controls held down on the keyboard with a seat's bindings. */
  held(seat) {
    const names = [...this.keys].map((code) => this.bindings.control(seat, code));
    return new Set(names.filter(Boolean));
  }

  /* Pads for the seats played here, such as [0] or [0, 1]. One player alone may
   * use the keys of both seats. */
  pads(seats) {
    const gamepads = [...(navigator.getGamepads?.() ?? [])].filter(Boolean).map(padFromGamepad);
    const isAlone = seats.length === 1;
    return seats.map((seat, index) => {
      const keyboards = isAlone ? [0, 1] : [index];
      return combinePads([
        ...keyboards.map((set) => padFromControls(this.held(set))),
        ...(isAlone ? gamepads : gamepads.slice(index, index + 1)),
        ...(index === 0 ? [this.touch] : []),
      ]);
    });
  }
}
