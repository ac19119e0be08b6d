// The outline of every shape and the pattern of every texture, as functions of the plane.

const STAR_SIDES = [0, 1, 2, 3, 4].map((side) => {
  const angle = Math.PI / 2 + (2 * Math.PI * side) / 5;
  return [Math.cos(angle), Math.sin(angle)];
});

function star(x, y) {
  // Inside a pentagram is where at most one of its five lines is crossed.
  let largest = -Infinity;
  let second = -Infinity;
  for (const [a, b] of STAR_SIDES) {
    const side = x * a + y * b;
    second = Math.max(second, Math.min(largest, side));
    largest = Math.max(largest, side);
  }
  return Math.min(second - 0.36, Math.hypot(x, y) - 0.56);
}

function cross(x, y) {
  const [a, b] = [Math.abs(x), Math.abs(y)];
  return Math.max(Math.max(a, b) - 1, Math.min(a, b) - 0.34);
}

function heart(x, y) {
  // A square on its tip, and a half circle on each of its two upper sides.
  const [a, b] = [Math.abs(x), y - 0.12];
  const tip = (a + Math.abs(b) - 0.9) * 0.707;
  return Math.min(tip, Math.hypot(a - 0.45, b + 0.45) - 0.636);
}

/** Per shape, about the signed distance to its outline in radii: negative inside, y downwards. */
export const OUTLINES = {
  circle: (x, y) => Math.hypot(x, y) - 0.98,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) - 0.82,
  triangle: (x, y) => Math.max(Math.abs(x) * 0.887 - y * 0.461 - 0.49, y - 0.82),
  diamond: (x, y) => (Math.abs(x) * 1.68 + Math.abs(y) - 1.1) * 0.51,
  star,
  cross,
  heart,
  ring: (x, y) => Math.abs(Math.hypot(x, y) - 0.76) - 0.25,
};

/** Per texture, above 0 on its dark parts; coordinates are pixels of a 64-pixel picture. */
export const PATTERNS = {
  striped: (x, y) => Math.sin((x + y) * 0.87),
  dotted: (x, y) => Math.cos(x * 1.25) + Math.cos(y * 1.25) - 0.75,
  checkered: (x, y) => Math.sin(x * 0.8) * Math.sin(y * 0.8) * 2,
};
