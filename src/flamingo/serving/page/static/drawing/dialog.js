// The dialog in which a picture is drawn.

import { byId } from "../elements.js";
import { Board } from "./board.js";
import { PEN_TOOLS, showChoices } from "./choices.js";
import { pngOf, SIDE } from "./paint.js";
import { Sketch, blank } from "./sketch.js";
import { handOf } from "./variation.js";

const chosen = { tool: "circle", size: "medium", color: "red", texture: "solid", background: "white" };

let sketch = new Sketch(blank(), () => {});
let board = null;
let hand = handOf();
let finish = () => {};

/**
 * Lets someone draw.
 *
 * @param {object|null} drawing where to begin.
 * @returns {Promise<object|null>} a visual, or null if the dialog was left.
 */
export function draw(drawing = null) {
  const dialog = byId("drawing-dialog");
  board ??= prepare();
  sketch = new Sketch(drawing ?? blank(chosen.background), refresh);
  chosen.background = sketch.drawing.background;
  showChoices(byId("drawing-choices"), chosen, (group) => {
    if (group === "background") sketch.fill(chosen.background);
    board.paint();
  });
  refresh();
  dialog.showModal();
  byId("drawing-canvas").focus();
  return new Promise((resolve) => {
    finish = resolve;
  });
}

/** The visual that a drawing is. */
export function visualOf(drawing) {
  return { url: pngOf(drawing), kind: "image", width: SIDE, height: SIDE, name: "drawing", drawing };
}

function prepare() {
  const dialog = byId("drawing-dialog");
  const leave = (visual) => {
    finish(visual);
    dialog.close();
  };
  byId("drawing-undo").addEventListener("click", () => sketch.undo());
  byId("drawing-redo").addEventListener("click", () => sketch.redo());
  byId("drawing-clear").addEventListener("click", () => sketch.clear());
  byId("drawing-cancel").addEventListener("click", () => leave(null));
  byId("drawing-use").addEventListener("click", () => leave(visualOf(sketch.drawing)));
  dialog.addEventListener("close", () => finish(null));
  dialog.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    if (event.shiftKey) sketch.redo();
    else sketch.undo();
  });
  const canvas = byId("drawing-canvas");
  const say = (text) => {
    byId("drawing-said").textContent = text;
  };
  return new Board({ canvas, sketch: () => sketch, stampAt, strokeOf, say });
}

function stampAt(x, y) {
  if (PEN_TOOLS.includes(chosen.tool)) return null;
  const { tool: shape, color, size, texture } = chosen;
  return { shape, color, size, texture, x, y, ...hand };
}

function strokeOf(points) {
  const color = chosen.tool === "eraser" ? "background" : chosen.color;
  return { color, size: chosen.size, points };
}

function refresh() {
  hand = handOf();
  byId("drawing-undo").disabled = !sketch.canUndo;
  byId("drawing-redo").disabled = !sketch.canRedo;
  byId("drawing-clear").disabled = sketch.isEmpty;
  byId("drawing-use").disabled = sketch.isEmpty;
  board.paint();
  const background = sketch.drawing.background;
  if (chosen.background === background) return;
  // After an undo the swatches have to say what the picture shows.
  chosen.background = background;
  byId("drawing-choices").querySelector(`[name=draw-background][value=${background}]`).checked = true;
}
