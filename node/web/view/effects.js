/* What the figures leave in the air: trails, dust, sparks. Read from how a
 * player's state changes; nothing of it exists in the world itself. */
import { actionPose, isHurt } from "../world/actions.js";
import { groundUnder } from "../world/stages.js";

const PARTICLES = 96;
const TRAIL_POINTS = 22;
const TRAIL_SECONDS = 0.3;
const TRAIL_SPEED = 60; /* units a second at which a trail begins to show */
const DUST_POSES = new Set(["land", "run", "brake", "roll"]);

export class Effects {
  constructor() {
    this.particles = [];
    this.trails = [[], []];
    this.last = [null, null];
  }

  reset() {
    this.particles.length = 0;
    this.trails = [[], []];
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
    if (begins && isHurt(player.action) && !isHurt(last.action)) {
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

  #ring({ x, y }, seat) {
    this.#add({ kind: "ring", x, y, vx: 0, vy: 0, size: 5, life: 0.28, seat, isFlat: true });
  }

  /* center: the middle of the figure's body now; time, elapsed in seconds. */
  trail(seat, center, time) {
    const points = this.trails[seat];
    points.push({ ...center, time });
    while (points.length > TRAIL_POINTS || points[0].time < time - TRAIL_SECONDS) points.shift();
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
    context.lineCap = "butt";
    this.trails.forEach((points, seat) => {
      context.strokeStyle = ink.seats[seat].near;
      for (let i = 1; i < points.length; i++) {
        const [a, b] = [points[i - 1], points[i]];
        const speed = Math.hypot(b.x - a.x, b.y - a.y) / Math.max(0.001, b.time - a.time);
        const strength = Math.min(1, (speed - TRAIL_SPEED) / TRAIL_SPEED) * (i / points.length);
        if (strength <= 0 || speed > 1500) continue;
        context.globalAlpha = 0.34 * strength;
        context.lineWidth = 1 + 5 * (i / points.length);
        context.beginPath();
        context.moveTo(a.x, a.y);
        context.lineTo(b.x, b.y);
        context.stroke();
      }
    });
    context.globalAlpha = 1;
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
