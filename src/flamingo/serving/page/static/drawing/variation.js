// Another picture of the same: same things and colors, other places, sizes and background.

import { BACKGROUNDS, DIAMETERS, SIZES } from "./palette.js";

const MARGIN = 0.02;
const MOST_TURN = 0.16; // radians
const TRIES = 200;

const between = (low, high) => low + Math.random() * (high - low);
const oneOf = (values) => values[Math.floor(Math.random() * values.length)];

/** What differs from one stamp to the next even where all of its settings are the same. */
export function handOf() {
  return { turn: between(-MOST_TURN, MOST_TURN), phase: [between(-4, 4), between(-4, 4)] };
}

/** A drawing like this one. Where something was drawn by pen, the background stays. */
export function another(drawing) {
  const stamps = drawing.marks.filter((mark) => !mark.points);
  const placed = stamps.length ? scattered(stamps) : [];
  const move = penMove(drawing.marks.filter((mark) => mark.points));
  const marks = drawing.marks.map((mark) => (mark.points ? move(mark) : placed.shift()));
  const isStamped = stamps.length === drawing.marks.length && stamps.length > 0;
  const background = isStamped ? oneOf(Object.keys(BACKGROUNDS)) : drawing.background;
  return { background: canShow(marks, background) ? background : drawing.background, marks };
}

function canShow(marks, background) {
  return marks.every((mark) => mark.color !== background);
}

function scattered(stamps) {
  let found = stamps;
  for (let i = 0; i < TRIES; i += 1) {
    const sizes = stamps.length > 2 && i > TRIES / 2 ? ["small"] : SIZES;
    found = stamps.map((stamp) => placedAnywhere({ ...stamp, size: oneOf(sizes), ...handOf() }));
    if (areApart(found)) return found;
  }
  return found;
}

function placedAnywhere(stamp) {
  const room = DIAMETERS[stamp.size] / 2 + MARGIN;
  return { ...stamp, x: between(room, 1 - room), y: between(room, 1 - room) };
}

function areApart(stamps) {
  return stamps.every((one, i) =>
    stamps.slice(0, i).every((other) => {
      const radii = (DIAMETERS[one.size] + DIAMETERS[other.size]) / 2;
      return Math.hypot(one.x - other.x, one.y - other.y) > 1.1 * radii + MARGIN;
    }),
  );
}

/** Slants, turns, scales and shifts all strokes together, as another hand would. */
function penMove(strokes) {
  const points = strokes.flatMap((stroke) => stroke.points);
  const middle = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [centerX, centerY] = [middle(0), middle(1)];
  const [angle, slant, scale] = [between(-0.14, 0.14), between(-0.2, 0.2), between(0.85, 1.1)];
  const [shiftX, shiftY] = [between(-0.05, 0.05), between(-0.05, 0.05)];
  const moved = ([x, y]) => {
    const [dx, dy] = [x - centerX + slant * (y - centerY), y - centerY];
    return [
      centerX + shiftX + scale * (dx * Math.cos(angle) - dy * Math.sin(angle)),
      centerY + shiftY + scale * (dx * Math.sin(angle) + dy * Math.cos(angle)),
    ];
  };
  return (stroke) => ({ ...stroke, points: stroke.points.map(moved) });
}
