/* A controller's state, whatever it comes from: sticks from -127 to 127,
 * triggers from 0 to 255, buttons as bits. */

export const BUTTON = {
  a: 1, b: 2, x: 4, y: 8, z: 16, start: 32, padLeft: 64, padRight: 128, padUp: 256, padDown: 512,
  l: 1024, r: 2048,
};

export const STICK_MOST = 127;
const TRIGGER_MOST = 255;

/* What a key or a touch button can be bound to, with words for people. */
export const CONTROLS = {
  left: "Move left", right: "Move right", up: "Up / jump", down: "Down / crouch",
  walk: "Walk (half stick)", a: "Attack", b: "Special", x: "Jump", y: "Jump", z: "Grab",
  l: "Shield", r: "Shield", cLeft: "Smash left", cRight: "Smash right", cUp: "Smash up",
  cDown: "Smash down", start: "Start",
};

const WALK = 0.5;

export function emptyPad() {
  return { stickX: 0, stickY: 0, cX: 0, cY: 0, left: 0, right: 0, buttons: 0 };
}

/* The pad of controls held down, named as in CONTROLS. */
export function padFromControls(held) {
  const axis = (minus, plus) => (held.has(plus) ? 1 : 0) - (held.has(minus) ? 1 : 0);
  const pad = emptyPad();
  const reach = STICK_MOST * (held.has("walk") ? WALK : 1);
  const [x, y] = [axis("left", "right"), axis("down", "up")];
  const length = Math.max(1, Math.hypot(x, y));
  pad.stickX = Math.round((x * reach) / length);
  pad.stickY = Math.round((y * reach) / length);
  pad.cX = axis("cLeft", "cRight") * STICK_MOST;
  pad.cY = axis("cDown", "cUp") * STICK_MOST;
  pad.left = held.has("l") ? TRIGGER_MOST : 0;
  pad.right = held.has("r") ? TRIGGER_MOST : 0;
  for (const [name, bit] of Object.entries(BUTTON)) if (held.has(name)) pad.buttons |= bit;
  return pad;
}

/* One pad from several: the furthest stick, the deepest trigger, any button. */
export function combinePads(pads) {
  const result = emptyPad();
  const reach = (pad, x, y) => Math.hypot(pad[x], pad[y]);
  for (const pad of pads) {
    for (const [x, y] of [["stickX", "stickY"], ["cX", "cY"]])
      if (reach(pad, x, y) > reach(result, x, y)) [result[x], result[y]] = [pad[x], pad[y]];
    result.left = Math.max(result.left, pad.left);
    result.right = Math.max(result.right, pad.right);
    result.buttons |= pad.buttons;
  }
  return result;
}

export function isSamePad(a, b) {
  return Object.keys(a).every((field) => a[field] === b[field]);
}
