/* Poses: for each family of actions the angles of a figure's joints, as functions
 * of time. Angles of limbs are measured from straight down, forwards positive;
 * an elbow bends forwards, a knee backwards; `lean` bends the torso, `tilt` turns
 * the whole body about the hip. */

/* Order of the joints in a pose's numbers. */
const JOINTS = ["lean", "tilt", "head", "shoulderNear", "elbowNear", "shoulderFar", "elbowFar",
  "hipNear", "kneeNear", "hipFar", "kneeFar"];
export const JOINT = Object.fromEntries(JOINTS.map((name, index) => [name, index]));
export const JOINT_COUNT = JOINTS.length;

const TURN = 2 * Math.PI;

function limbs(lean, near, far, legNear, legFar, more = {}) {
  return {
    lean, shoulderNear: near[0], elbowNear: near[1], shoulderFar: far[0], elbowFar: far[1],
    hipNear: legNear[0], kneeNear: legNear[1], hipFar: legFar[0], kneeFar: legFar[1],
    tilt: 0, head: 0, ...more,
  };
}

const blend = (a, b, mix) => {
  const result = {};
  for (const name of JOINTS) result[name] = a[name] + (b[name] - a[name]) * mix;
  return result;
};
const clamp01 = (value) => Math.min(1, Math.max(0, value));
const wave = (time, seconds) => Math.sin((time / seconds) * TURN);

const GUARD = limbs(0.1, [0.55, 1.25], [0.15, 1.5], [0.32, 0.3], [-0.22, 0.28]);
const CROUCH = limbs(0.55, [0.4, 1.3], [0, 1.4], [1.15, 1.9], [0.45, 1.75], { head: -0.3 });
const TUCK = limbs(0.5, [1, 1.6], [0.9, 1.7], [1.7, 2.1], [1.5, 2.2], { head: 0.3 });
const LYING = limbs(0.05, [2.3, 0.3], [-0.6, 0.4], [0.2, 0.5], [-0.1, 0.2], { tilt: -TURN / 4 });
const SPREAD = limbs(-0.3, [2, 0.4], [-1.7, -0.2], [0.7, 0.4], [-0.6, 0.7], { head: -0.2 });
const DANGLE = limbs(-0.1, [0.2, 0.25], [-0.15, 0.3], [0.12, 0.3], [-0.1, 0.35], { head: 0.35 });

/* Frames of an attack: wind up, strike, come back to guard. */
function strike(age, windup, hit, guard = GUARD, at = 5, hold = 9, end = 22) {
  const frame = age % (end + 8);
  if (frame < at) return blend(guard, windup, clamp01(frame / (at - 1)));
  if (frame < at + hold) return hit;
  return blend(hit, guard, clamp01((frame - at - hold) / (end - at - hold)));
}

function stride(phase, swing, bend, lean, arms) {
  const s = Math.sin(phase);
  const lift = (value) => bend * (0.25 + Math.max(0, value));
  const c = Math.cos(phase);
  return limbs(lean, [-arms * s, 0.5 + arms * 0.9], [arms * s, 0.5 + arms * 0.9],
    [swing * s + lean * 0.2, lift(c)], [-swing * s + lean * 0.2, lift(-c)], { head: -lean * 0.5 });
}

/* Each: ({age in frames, time in seconds, phase of the stride, pace}) → pose. */
const POSES = {
  stand: ({ time }) => {
    const breath = wave(time, 1.5);
    return { ...GUARD, lean: 0.1 + 0.03 * breath, shoulderNear: 0.55 + 0.08 * breath,
      shoulderFar: 0.15 + 0.08 * breath, kneeNear: 0.32 + 0.06 * breath,
      kneeFar: 0.3 + 0.06 * breath };
  },
  walk: ({ phase }) => stride(phase, 0.5, 0.7, 0.14, 0.55),
  run: ({ phase }) => stride(phase, 1, 1.5, 0.55, 1.15),
  turn: ({ age }) => blend(limbs(-0.25, [0.2, 0.8], [0.4, 0.8], [0.5, 0.2], [-0.3, 0.7]), GUARD,
    clamp01(age / 10)),
  brake: () => limbs(-0.4, [-0.5, 0.6], [0.9, 0.5], [0.85, 0.15], [-0.05, 1.1], { head: 0.3 }),
  crouch: () => CROUCH,
  jump: () => limbs(0.1, [2.6, 0.3], [-0.7, 0.5], [1.2, 1.6], [-0.25, 0.5], { head: -0.25 }),
  flip: ({ age }) => ({ ...TUCK, tilt: TURN * clamp01(age / 20) }),
  fall: ({ time }) => {
    const flutter = 0.12 * wave(time, 0.4);
    return limbs(0.12, [1.9 + flutter, 0.5], [-1.6 - flutter, -0.4], [0.7, 0.9], [-0.3, 0.7]);
  },
  helpless: ({ time }) => ({ ...SPREAD, tilt: 0.25 * wave(time, 1.1), shoulderNear: 2.7 }),
  tumble: ({ time }) => ({ ...SPREAD, tilt: -TURN * (time / 0.75) }),
  land: ({ age }) => blend(CROUCH, GUARD, clamp01((age - 2) / 12)),
  jab: ({ age }) => strike(age % 14, GUARD,
    limbs(0.3, [1.55, 0], [0.2, 1.8], [0.5, 0.3], [-0.5, 0.2]), GUARD, 2, 4, 12),
  lunge: ({ age }) => strike(age, CROUCH,
    limbs(0.75, [1.65, 0], [-0.9, 0.4], [1.1, 0.9], [-0.95, 0.15], { head: -0.4 })),
  kickForward: ({ age }) => strike(age,
    limbs(-0.1, [0.2, 1], [0.6, 1], [1, 1.7], [-0.1, 0.2]),
    limbs(-0.5, [-0.6, 0.5], [0.8, 0.8], [1.62, 0], [-0.15, 0.15], { head: 0.4 })),
  swingUp: ({ age }) => strike(age,
    limbs(0.3, [-0.9, 0.3], [0.3, 1.4], [0.5, 0.6], [-0.3, 0.5]),
    limbs(-0.2, [3.1, 0.1], [-0.4, 0.8], [0.3, 0.1], [-0.4, 0.1], { head: -0.5 })),
  sweep: ({ age }) => strike(age, CROUCH,
    limbs(-0.35, [-0.9, 0.2], [0.3, 1.2], [1.45, 0], [0.6, 2.1], { head: 0.3 }), CROUCH),
  smashForward: ({ age }) => strike(age,
    limbs(-0.35, [-1.6, 0.9], [0.9, 0.9], [0.6, 0.5], [-0.3, 0.4], { head: 0.3 }),
    limbs(0.65, [1.7, 0], [-1.2, 0.2], [0.95, 0.75], [-0.85, 0.1], { head: -0.4 }),
    GUARD, 8, 10, 32),
  smashUp: ({ age }) => strike(age, CROUCH,
    limbs(-0.12, [3.05, 0], [2.8, 0.2], [0.25, 0.05], [-0.3, 0.05], { head: -0.6 }),
    GUARD, 7, 9, 30),
  smashDown: ({ age }) => strike(age,
    limbs(0.05, [2.6, 0.3], [-2.4, -0.3], [0.4, 1.2], [-0.4, 0.9]),
    limbs(0.15, [1.25, 0.1], [-1.25, -0.1], [1.35, 0], [-1.35, 0]), GUARD, 6, 12, 30),
  airNeutral: ({ age }) => strike(age, TUCK,
    limbs(-0.15, [1.3, 0.2], [-1, 0.2], [1.3, 0.05], [-0.9, 1.3]), TUCK, 3, 16, 28),
  airForward: ({ age }) => strike(age,
    limbs(-0.4, [3, 0.2], [2.7, 0.2], [0.3, 0.9], [-0.5, 0.9]),
    limbs(0.55, [1.1, 0], [0.9, 0.1], [0.9, 1.2], [0.3, 1.4]), TUCK, 5, 8, 26),
  airBack: ({ age }) => strike(age, TUCK,
    limbs(0.75, [0.9, 0.9], [0.5, 0.9], [-1.65, 0], [0.3, 1.3], { head: -0.6 }), TUCK, 4, 9, 26),
  airUp: ({ age }) => strike(age, TUCK,
    limbs(-0.9, [-0.6, 0.4], [-1.2, 0.3], [2.5, 0], [1.5, 0.9], { head: 0.3 }), TUCK, 4, 8, 24),
  airDown: ({ age, time }) => strike(age, TUCK,
    limbs(0.1, [2.3, 0.3 + 0.3 * wave(time, 0.2)], [-2.2, -0.3], [0.1, 0], [-0.06, 0.05]), TUCK,
    5, 14, 28),
  hit: ({ time }) => ({ ...limbs(-0.6, [1.3, 0.5], [0.8, 0.4], [0.55, 0.25], [-0.35, 0.8]),
    head: -0.6 + 0.15 * wave(time, 0.16) }),
  reach: () => limbs(0.35, [1.2, 0.2], [1, 0.3], [0.4, 0.3], [-0.4, 0.3]),
  shield: ({ time }) => ({ ...limbs(0.3, [0.8, 1.9], [0.6, 2], [0.7, 1.05], [-0.15, 0.95]),
    head: 0.1 + 0.04 * wave(time, 0.8) }),
  lie: () => LYING,
  rise: ({ age }) => blend(LYING, CROUCH, clamp01(age / 18)),
  roll: ({ age }) => ({ ...TUCK, tilt: TURN * ((age % 30) / 30) }),
  dazed: ({ time }) => ({ ...DANGLE, lean: 0.25 * wave(time, 1.2), head: 0.4 * wave(time, 0.6) }),
  grab: ({ age }) => strike(age, GUARD,
    limbs(0.5, [1.5, 0.15], [1.35, 0.2], [0.75, 0.5], [-0.7, 0.15], { head: -0.2 }),
    GUARD, 4, 12, 26),
  hold: ({ time }) => limbs(0.2, [1.35, 0.35 + 0.1 * wave(time, 0.5)], [1.2, 0.4], [0.5, 0.4],
    [-0.45, 0.25]),
  throwBack: ({ age }) => strike(age, limbs(0.4, [1.3, 0.3], [1.2, 0.3], [0.6, 0.5], [-0.3, 0.3]),
    limbs(-0.8, [3.2, 0.2], [3, 0.2], [0.9, 0.8], [0, 0.7], { head: 0.5 })),
  held: ({ time }) => ({ ...DANGLE, lean: -0.2 + 0.08 * wave(time, 0.7) }),
  dodge: () => limbs(-0.35, [0.9, 2], [0.7, 2.1], [0.5, 0.5], [-0.4, 0.6], { head: 0.2 }),
  teeter: ({ time }) => ({ ...limbs(0.35, [0, 0.3], [0, 0.3], [0.15, 0.2], [-0.1, 0.3]),
    shoulderNear: TURN * time * 1.4, shoulderFar: TURN * time * 1.4 + 3 }),
  hang: () => limbs(0.05, [3, 0.1], [2.85, 0.15], [0.25, 0.5], [-0.05, 0.4], { head: -0.3 }),
  taunt: ({ time }) => limbs(-0.1, [2.9, 0.2 + 0.3 * wave(time, 0.35)], [-0.4, 1.6], [0.25, 0.1],
    [-0.3, 0.1], { head: -0.2 }),
  special: ({ time }) => limbs(0.3, [1.5, 0.1 * wave(time, 0.15)], [1.3, 0.2], [0.75, 0.6],
    [-0.7, 0.35]),
  lost: ({ time }) => ({ ...SPREAD, tilt: -TURN * (time / 2.2), shoulderNear: 2.6 }),
  hover: ({ time }) => ({ ...DANGLE, head: -0.1, shoulderNear: 0.8 + 0.1 * wave(time, 2),
    shoulderFar: -0.7 - 0.1 * wave(time, 2) }),
};

/* Writes the pose of a family into `out`, in the order of JOINT. */
export function writePose(out, family, moment) {
  const pose = POSES[family](moment);
  for (let i = 0; i < JOINT_COUNT; i++) out[i] = pose[JOINTS[i]];
}

/* Families in which a hand or a foot strikes. */
export const STRIKES = new Set(["jab", "lunge", "kickForward", "swingUp", "sweep", "smashForward",
  "smashUp", "smashDown", "airNeutral", "airForward", "airBack", "airUp", "airDown", "grab",
  "throwBack", "special"]);

export const POSE_NAMES = Object.keys(POSES);
