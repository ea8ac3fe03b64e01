/* What part of the world is seen: both fighters, some ground, no jumps. */

const MARGIN_X = 21; /* game units around what must be seen */
const MARGIN_Y = 17;
const WIDTH_LEAST = 98;
const BEYOND = 14; /* how far past the blast zones the camera follows */
const FOLLOW_SECONDS = 0.35;
const CATCH_UP_SECONDS = 0.1; /* where someone is out of view */
const ZOOM_OUT_SECONDS = 0.22;
const ZOOM_IN_SECONDS = 0.9;

export class Camera {
  constructor() {
    this.isFresh = true;
    this.x = 0;
    this.y = 12;
    this.width = 200;
    this.height = 112;
  }

  reset() {
    this.isFresh = true;
  }

  /* places: [{x, y}] to keep in view; aspect: width over height; isCalm: one view
   * of the whole stage, for people who want less motion; covered: the part of the
   * view at its bottom that something lies over. */
  update(stage, places, { aspect, elapsed, isCalm = false, covered = 0 }) {
    const target = this.#target(stage, isCalm ? [] : places, aspect, covered);
    const ease = (seconds) => (this.isFresh || isCalm ? 1 : 1 - Math.exp(-elapsed / seconds));
    const zoom = target.width > this.width ? ZOOM_OUT_SECONDS : ZOOM_IN_SECONDS;
    const isMissed = places.some((place) => !this.#sees(place, stage));
    const follow = isMissed ? CATCH_UP_SECONDS : FOLLOW_SECONDS;
    this.x += (target.x - this.x) * ease(follow);
    this.y += (target.y - this.y) * ease(follow);
    this.width += (target.width - this.width) * ease(isMissed ? CATCH_UP_SECONDS : zoom);
    this.height = this.width / aspect;
    this.isFresh = false;
  }

  /* Whether a place that the camera follows is in view. */
  #sees({ x, y }, { blast }) {
    const isFollowed = x > blast.left && x < blast.right && y > blast.bottom && y < blast.top;
    const isInView = Math.abs(x - this.x) < this.width / 2 &&
      Math.abs(y - this.y) < this.height / 2;
    return isInView || !isFollowed;
  }

  #target(stage, places, aspect, covered) {
    const { left, right, top, bottom } = stage.blast;
    const held = places.map(({ x, y }) => ({
      x: Math.min(right + BEYOND, Math.max(left - BEYOND, x)),
      y: Math.min(top + BEYOND, Math.max(bottom - BEYOND, y)),
    }));
    if (!held.length) held.push({ x: -stage.edge, y: 40 }, { x: stage.edge, y: -20 });
    const xs = held.map(({ x }) => x);
    const ys = [...held.map(({ y }) => y + 7), 4]; /* and some of the floor */
    const box = {
      left: Math.min(...xs) - MARGIN_X, right: Math.max(...xs) + MARGIN_X,
      bottom: Math.min(...ys) - MARGIN_Y, top: Math.max(...ys) + MARGIN_Y,
    };
    const width = Math.max(WIDTH_LEAST, box.right - box.left,
      ((box.top - box.bottom) / (1 - covered)) * aspect);
    const y = (box.bottom + box.top) / 2 - ((covered / 2) * width) / aspect;
    return { x: (box.left + box.right) / 2, y, width };
  }

  /* Pixels a game unit on a canvas of this width. */
  scale(pixels) {
    return pixels / this.width;
  }
}
