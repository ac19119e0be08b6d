// Lessons to begin with, drawn here by the same stamps and pens that everyone has.

import { visualOf } from "./drawing/dialog.js";
import { emptyLesson, supportOf } from "./store.js";

const stamp = (color, shape, size, x, y, texture = "solid", turn = 0) => ({
  shape, color, size, texture, x, y, turn, phase: [0, 0],
});
const on = (background, ...marks) => visualOf({ background, marks });

/** Two words that nobody knows: is it the color, the shape, or both? */
function madeUpWords() {
  const supports = [
    [on("white", stamp("red", "circle", "large", 0.42, 0.46)), "dax"],
    [on("gray", stamp("blue", "star", "medium", 0.62, 0.4, "solid", 0.1)), "wug"],
    [on("black", stamp("red", "circle", "medium", 0.66, 0.62)), "dax"],
    [on("white", stamp("blue", "star", "large", 0.5, 0.56, "solid", -0.12)), "wug"],
  ];
  const query = on("brown", stamp("blue", "star", "large", 0.36, 0.6, "solid", 0.05));
  return captions(supports, query);
}

/** A rule that only the cards tell: of all that could be said, the color is wanted. */
function onlyTheColor() {
  const supports = [
    [on("white", stamp("green", "star", "large", 0.5, 0.5)), "green"],
    [on("black", stamp("purple", "ring", "medium", 0.36, 0.6)), "purple"],
    [on("gray", stamp("orange", "heart", "large", 0.6, 0.46)), "orange"],
    [on("white", stamp("cyan", "square", "small", 0.3, 0.34)), "cyan"],
  ];
  return captions(supports, on("black", stamp("red", "cross", "large", 0.55, 0.48)));
}

/** One question for all pictures. */
function howMany() {
  const places = [[0.26, 0.27], [0.72, 0.3], [0.3, 0.74], [0.75, 0.75]];
  const many = (count, background, color, shape) => on(
    background,
    ...places.slice(0, count).map(([x, y], i) => stamp(color, shape, "medium", x, y, "solid", 0.06 * i)),
  );
  const supports = [
    [many(2, "white", "red", "heart"), "two"],
    [many(1, "black", "yellow", "star"), "one"],
    [many(4, "gray", "cyan", "circle"), "four"],
    [many(3, "white", "purple", "square"), "three"],
  ];
  const lesson = captions(supports, many(3, "white", "green", "triangle"));
  return { ...lesson, mode: "question", question: "how many things are there?" };
}

/** Signs of an invented alphabet, by pen, each time in another hand. */
function inventedLetters() {
  const by = (dx, dy, scale, ...strokes) => on("white", ...strokes.map((points) => ({
    color: "black",
    size: "medium",
    points: points.map(([x, y]) => [0.5 + dx + scale * (x - 0.5), 0.5 + dy + scale * (y - 0.5)]),
  })));
  const fork = [[[0.5, 0.2], [0.5, 0.8]], [[0.25, 0.25], [0.27, 0.5], [0.5, 0.55], [0.73, 0.5], [0.75, 0.25]]];
  const gate = [[[0.25, 0.3], [0.75, 0.3]], [[0.35, 0.3], [0.33, 0.78]], [[0.65, 0.3], [0.7, 0.78]]];
  const supports = [
    [by(0, 0, 1, ...fork), "tiru"],
    [by(0.02, -0.03, 0.9, ...gate), "moze"],
    [by(-0.05, 0.04, 0.85, ...fork), "tiru"],
    [by(0, 0.02, 1.08, ...gate), "moze"],
  ];
  return captions(supports, by(0.05, -0.02, 0.95, ...gate));
}

function captions(supports, query) {
  const cards = supports.map(([visual, said]) => supportOf(visual, said));
  return { ...emptyLesson(), supports: cards, query: { visual: query, question: "" } };
}

/** Name and maker of each. */
export const EXAMPLES = [
  ["Two made-up words", madeUpWords],
  ["Only the color", onlyTheColor],
  ["How many?", howMany],
  ["Invented letters", inventedLetters],
];
