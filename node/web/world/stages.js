/* The six stages that matches are played on: where the ground is, where platforms
 * hang, and how far out a fighter is lost. Game units; y grows upwards. */

const platform = (left, right, y) => ({ left, right, y });

const STAGES = new Map([
  [2, {
    name: "Fountain of Dreams", motif: "ripples", edge: 63.35, depth: 30,
    platforms: [platform(-49.5, -21, 20), platform(21, 49.5, 20), platform(-14.25, 14.25, 42.75)],
    blast: { left: -198.75, right: 198.75, top: 202.5, bottom: -146.25 },
  }],
  [3, {
    name: "Pokémon Stadium", motif: "lights", edge: 87.75, depth: 26,
    platforms: [platform(-55, -25, 25), platform(25, 55, 25)],
    blast: { left: -230, right: 230, top: 180, bottom: -111 },
  }],
  [8, {
    name: "Yoshi's Story", motif: "pages", edge: 56, depth: 44,
    platforms: [platform(-59.5, -28, 23.45), platform(28, 59.5, 23.45),
      platform(-15.75, 15.75, 42)],
    blast: { left: -175.7, right: 173.6, top: 168, bottom: -91 },
  }],
  [28, {
    name: "Dream Land", motif: "hills", edge: 77.27, depth: 36,
    platforms: [platform(-61.39, -31.73, 30.14), platform(31.7, 63.07, 30.24),
      platform(-19.02, 19.02, 51.43)],
    blast: { left: -255, right: 255, top: 250, bottom: -123 },
  }],
  [31, {
    name: "Battlefield", motif: "peaks", edge: 68.4, depth: 34,
    platforms: [platform(-57.6, -20, 27.2), platform(20, 57.6, 27.2), platform(-18.8, 18.8, 54.4)],
    blast: { left: -224, right: 224, top: 200, bottom: -108.8 },
  }],
  [32, {
    name: "Final Destination", motif: "orbits", edge: 85.57, depth: 30,
    platforms: [],
    blast: { left: -246, right: 246, top: 188, bottom: -140 },
  }],
]);

/* The stages that can be chosen, by number. */
export const STAGE_IDS = [...STAGES.keys()];
export const DEFAULT_STAGE = 32;

/* A stage's geometry. One of an unknown number is drawn as a plain floor. */
export function stageOf(id) {
  return STAGES.get(id) ?? { ...STAGES.get(DEFAULT_STAGE), name: `stage ${id}` };
}

/* Whether a place is inside the blast zones. */
export function isInside(stage, { x, y }) {
  const { left, right, top, bottom } = stage.blast;
  return x > left && x < right && y > bottom && y < top;
}

/* The highest ground under a place, or null over the void. */
export function groundUnder(stage, { x, y }) {
  const surfaces = [{ left: -stage.edge, right: stage.edge, y: 0 }, ...stage.platforms];
  const reach = 4; /* the network's fighters stand a little off the ground */
  const under = surfaces.filter((s) => x >= s.left && x <= s.right && s.y <= y + reach);
  return under.length ? Math.max(...under.map((s) => s.y)) : null;
}
