/* What the figures leave in the air: trails, dust, sparks. Read from how a
 * player's state changes; nothing of it exists in the world itself. */
import { actionPose, isHurt } from "../world/actions.js";
import { groundUnder, isInside } from "../world/stages.js";

const PARTICLES = 96;
/* What is left behind: for how long, and from which speed on (units a second). */
const BODY = { seconds: 0.3, points: 22, speed: 60, width: 6, alpha: 0.34 };
const SWING = { seconds: 0.17, points: 14, speed: 60, width: 4, alpha: 0.55 };
const SPEED_MOST = 1500; /* what is faster was moved, not moving */
const TIPS = 4;
const DUST_POSES = new Set(["land", "run", "brake", "roll"]);

/* The way of a point over the last moments, wider and stronger towards its end. */
class Trail {
  constructor(kind) {
    this.kind = kind;
    this.points = [];
  }

  add({ x, y }, time, isShown = true) {
    const { points, kind } = this;
    points.push({ x, y, time, isShown });
    while (points.length > kind.points || points[0].time < time - kind.seconds) points.shift();
  }

  /* Around a place, in game units: a band whose pieces share their edges. */
  draw(context, place, colour) {
    const { points, kind } = this;
    context.fillStyle = colour;
    let last = null;
    points.forEach((point, i) => {
      const edge = this.#edge(i);
      const strength = i > 0 && point.isShown ? this.#strength(i) : 0;
      if (strength > 0) {
        context.globalAlpha = kind.alpha * strength;
        context.beginPath();
        for (const [x, y] of [...last, ...[...edge].reverse()])
          context.lineTo(place.x + x, place.y + y);
        context.fill();
      }
      last = edge;
    });
    context.globalAlpha = 1;
  }

  /* How strong the piece before a point is: 0 where the point was slow. */
  #strength(i) {
    const { points, kind } = this;
    const [a, b] = [points[i - 1], points[i]];
    const speed = Math.hypot(b.x - a.x, b.y - a.y) / Math.max(0.001, b.time - a.time);
    return speed > SPEED_MOST ? 0 : Math.min(1, speed / kind.speed - 1) * (i / points.length);
  }

  /* The two ends of the band's cross-section at a point. */
  #edge(i) {
    const { points, kind } = this;
    const [a, b] = [points[Math.max(0, i - 1)], points[Math.min(points.length - 1, i + 1)]];
    const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
    const half = (kind.width / 2) * (0.2 + (0.8 * i) / points.length);
    const [dx, dy] = [((a.y - b.y) / length) * half, ((b.x - a.x) / length) * half];
    const { x, y } = points[i];
    return [[x + dx, y + dy], [x - dx, y - dy]];
  }
}

const WORLD = { x: 0, y: 0 };

export class Effects {
  constructor() {
    this.particles = [];
    this.#forget();
  }

  reset() {
    this.particles.length = 0;
    this.#forget();
  }

  #forget() {
    this.trails = [new Trail(BODY), new Trail(BODY)];
    this.swings = [0, 1].map(() => Array.from({ length: TIPS }, () => new Trail(SWING)));
    this.last = [null, null];
  }

  /* Compares a player with what it was before; onHit() when it begins to suffer. */
  observe(seat, player, stage, onHit) {
    const last = this.last[seat];
    this.last[seat] = player;
    if (!last) return;
    const pose = actionPose(player.action);
    const begins = pose !== actionPose(last.action);
    const ground = groundUnder(stage, player);
    const near = ground !== null && Math.abs(player.y - ground) < 6;
    if (player.stocks < last.stocks && (pose === "lost" || !isInside(stage, last))) {
      this.#burst(last, seat);
    } else if (begins && isHurt(player.action) && !isHurt(last.action)) {
      this.#sparks(player, seat);
      onHit();
    } else if (near && begins && DUST_POSES.has(pose)) {
      this.#dust(player, ground, 5);
    } else if (begins && (pose === "jump" || pose === "flip")) {
      this.#ring(player, seat);
    }
  }

  #add(particle) {
    if (this.particles.length >= PARTICLES) this.particles.shift();
    this.particles.push({ age: 0, ...particle });
  }

  #dust({ x, facing }, ground, count) {
    for (let i = 0; i < count; i++) {
      const speed = 8 + 20 * Math.random();
      this.#add({ kind: "dust", x, y: ground + 0.5, vx: -facing * speed * (i % 2 ? 1 : -0.5),
        vy: 6 * Math.random(), size: 0.7 + 1.1 * Math.random(), life: 0.35 + 0.2 * Math.random() });
    }
  }

  #sparks({ x, y }, seat) {
    const turn = Math.random() * Math.PI;
    for (let i = 0; i < 9; i++) {
      const angle = turn + (i * 2 * Math.PI) / 9;
      const speed = 60 + 50 * Math.random();
      this.#add({ kind: "spark", x, y: y + 7, vx: Math.cos(angle) * speed,
        vy: Math.sin(angle) * speed, size: 0.8, life: 0.22, seat });
    }
    this.#add({ kind: "ring", x, y: y + 7, vx: 0, vy: 0, size: 9, life: 0.25, seat });
  }

  /* A fighter is lost. */
  #burst({ x, y }, seat) {
    for (let i = 0; i < 24; i++) {
      const angle = (i / 24) * 2 * Math.PI;
      const speed = 120 + 160 * Math.random();
      this.#add({ kind: "spark", x, y, vx: Math.cos(angle) * speed, vy: Math.sin(angle) * speed,
        size: 1.6, life: 0.55, seat: 1 - seat });
    }
    for (const size of [14, 26])
      this.#add({ kind: "ring", x, y, vx: 0, vy: 0, size, life: 0.5, seat });
  }

  #ring({ x, y }, seat) {
    this.#add({ kind: "ring", x, y, vx: 0, vy: 0, size: 5, life: 0.28, seat, isFlat: true });
  }

  /* Where a figure is now; time in seconds. */
  follow(figure, time) {
    this.trails[figure.seat].add(figure.center, time);
    const { tips, isStriking } = figure;
    tips.forEach((tip, i) => this.swings[figure.seat][i].add(tip, time, isStriking));
  }

  update(elapsed) {
    for (const particle of this.particles) {
      particle.age += elapsed;
      particle.x += particle.vx * elapsed;
      particle.y += particle.vy * elapsed;
      particle.vx *= Math.exp(-elapsed * 5);
      particle.vy *= Math.exp(-elapsed * 5);
    }
    this.particles = this.particles.filter(({ age, life }) => age < life);
  }

  /* context in game units, y upwards; drawn before the figures. */
  drawTrails(context, ink) {
    this.trails.forEach((trail, seat) => trail.draw(context, WORLD, ink.seats[seat].near));
  }

  /* Drawn behind its figure. */
  drawSwings(context, figure, ink) {
    for (const swing of this.swings[figure.seat])
      swing.draw(context, figure.place, ink.seats[figure.seat].near);
  }

  drawParticles(context, ink) {
    for (const particle of this.particles) {
      const left = 1 - particle.age / particle.life;
      context.globalAlpha = left;
      PARTICLE[particle.kind](context, particle, left, ink);
    }
    context.globalAlpha = 1;
  }
}

const PARTICLE = {
  dust(context, { x, y, size }, left, ink) {
    context.fillStyle = ink.faint;
    context.beginPath();
    context.arc(x, y, size * (1.6 - left), 0, 2 * Math.PI);
    context.fill();
  },
  spark(context, { x, y, vx, vy, size, seat }, left, ink) {
    context.strokeStyle = ink.seats[1 - seat].near;
    context.lineWidth = size * left;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x - vx * 0.05, y - vy * 0.05);
    context.stroke();
  },
  ring(context, { x, y, size, seat, isFlat }, left, ink) {
    context.strokeStyle = ink.seats[seat].near;
    context.lineWidth = 0.8 * left;
    context.beginPath();
    const radius = size * (1.2 - left);
    context.ellipse(x, y, radius, isFlat ? radius * 0.28 : radius, 0, 0, 2 * Math.PI);
    context.stroke();
  },
};
