/* Shapes that tell characters apart: ears, caps, tails, blades and so on, each a
 * few strokes relative to the head, the trunk or the near hand. */

/* A point `along` the direction in which the head points, `forward` of it, in
 * radii of the head. */
function atHead(body, forward, along) {
  const sin = Math.sin(-body.headAngle);
  const cos = Math.cos(-body.headAngle);
  const r = body.radius;
  return [body.head[0] + (forward * cos + along * sin) * r,
    body.head[1] + (-forward * sin + along * cos) * r];
}

function fill(context, colour, points) {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(...points[0]);
  for (const point of points.slice(1)) context.lineTo(...point);
  context.closePath();
  context.fill();
}

function curve(context, colour, width, from, control, to) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(...from);
  context.quadraticCurveTo(...control, ...to);
  context.stroke();
}

const BEHIND = {
  tail: (context, { hip, radius: r }, colour, height) =>
    curve(context, colour, r * 0.55, hip, [-height * 0.32, hip[1] - height * 0.12],
      [-height * 0.36, hip[1] + height * 0.14]),
  cape: (context, { neck, hip }, colour, height) =>
    fill(context, colour, [neck, [neck[0] - height * 0.08, neck[1]],
      [hip[0] - height * 0.34, hip[1] - height * 0.2], [hip[0] - height * 0.04,
        hip[1] - height * 0.16]]),
  scarf: (context, { neck, radius: r }, colour, height) =>
    curve(context, colour, r * 0.5, neck, [neck[0] - height * 0.2, neck[1] + height * 0.06],
      [neck[0] - height * 0.36, neck[1] - height * 0.02]),
  shell: (context, { hip, neck }, colour, height) => {
    context.fillStyle = colour;
    context.beginPath();
    context.ellipse((hip[0] + neck[0]) / 2 - height * 0.09, (hip[1] + neck[1]) / 2, height * 0.15,
      height * 0.2, 0, 0, 2 * Math.PI);
    context.fill();
  },
};

/* A point of the blade in the near hand, so far from the hand. */
export function bladePoint({ armNear: [, elbow, hand] }, length) {
  const angle = Math.atan2(hand[1] - elbow[1], hand[0] - elbow[0]) + 0.35;
  return [hand[0] + Math.cos(angle) * length, hand[1] + Math.sin(angle) * length];
}

const FRONT = {
  cap: (context, body, ink) => {
    fill(context, ink, [atHead(body, -1, 0.45), atHead(body, -0.7, 1.15), atHead(body, 0.5, 1.2),
      atHead(body, 0.95, 0.55), atHead(body, 1.55, 0.4)]);
  },
  ears: (context, body, ink) => {
    for (const side of [-0.75, 0.25])
      fill(context, ink, [atHead(body, side - 0.1, 0.6), atHead(body, side + 0.1, 1.75),
        atHead(body, side + 0.6, 0.7)]);
  },
  horns: (context, body, ink) => {
    for (const side of [-0.7, 0.35])
      fill(context, ink, [atHead(body, side, 0.7), atHead(body, side - 0.25, 1.5),
        atHead(body, side + 0.4, 0.8)]);
  },
  crest: (context, body, ink) =>
    fill(context, ink, [atHead(body, 0.3, 0.8), atHead(body, -1.3, 1.4), atHead(body, -1, 0.2)]),
  crown: (context, body, ink) =>
    fill(context, ink, [atHead(body, -0.6, 0.8), atHead(body, -0.7, 1.5), atHead(body, -0.25, 1.15),
      atHead(body, 0, 1.65), atHead(body, 0.25, 1.15), atHead(body, 0.7, 1.5),
      atHead(body, 0.6, 0.8)]),
  hood: (context, body, ink, paper) => {
    context.strokeStyle = paper;
    context.lineWidth = body.radius * 0.22;
    context.beginPath();
    context.arc(...body.head, body.radius * 0.72, 0, 2 * Math.PI);
    context.stroke();
  },
  shoulders: (context, { armNear, armFar, radius: r }, ink) => {
    context.fillStyle = ink;
    context.beginPath();
    for (const [shoulder] of [armFar, armNear])
      context.arc(shoulder[0], shoulder[1], r * 0.85, 0, 2 * Math.PI);
    context.fill();
  },
  skirt: (context, { hip, neck }, ink, paper, height) => {
    const waist = [(2 * hip[0] + neck[0]) / 3, (2 * hip[1] + neck[1]) / 3];
    fill(context, ink, [[waist[0] - height * 0.06, waist[1]], [waist[0] + height * 0.06, waist[1]],
      [hip[0] + height * 0.17, hip[1] - height * 0.26],
      [hip[0] - height * 0.17, hip[1] - height * 0.26]]);
  },
  blade: (context, body, ink, paper, height) => {
    const at = (part) => bladePoint(body, part * height);
    curve(context, ink, height * 0.03, at(0), at(0.2), at(0.42));
    curve(context, ink, height * 0.045, at(0), at(0.12), at(0.24));
  },
};

/* Before the body. */
export function drawMarksBehind(context, body, character, ink) {
  for (const mark of character.marks) BEHIND[mark]?.(context, body, ink, character.height);
}

/* After the body. */
export function drawMarksFront(context, body, character, ink, paper) {
  for (const mark of character.marks) FRONT[mark]?.(context, body, ink, paper, character.height);
}
