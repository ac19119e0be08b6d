// The canvas that is drawn on: by pointer, or by arrow keys with Space.

import { crosshair, placeName } from "./crosshair.js";
import { SIDE, paintDrawing, paintMark } from "./paint.js";

const STEP = 1 / 32;
const CLOSEST = 0.004; // points of a stroke are further apart than this

/**
 * Draws on a canvas what its sketch holds, and turns what is done on it into marks.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {() => Sketch} sketch
 * @param {(x: number, y: number) => object|null} stampAt the stamp that would be put there; null
 *   while a pen is chosen.
 * @param {(points: number[][]) => object} strokeOf
 * @param {(text: string) => void} say tells what was done by keyboard.
 */
export class Board {
  #at = null;
  #points = null;
  #isByKeys = false;

  constructor({ canvas, sketch, stampAt, strokeOf, say }) {
    Object.assign(this, { canvas, sketch, stampAt, strokeOf, say });
    canvas.width = canvas.height = SIDE;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", () => this.#up());
    canvas.addEventListener("pointercancel", () => this.#up());
    canvas.addEventListener("pointerleave", () => this.#leave());
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#leave());
  }

  /** Shows the sketch, and pale what would be added next. */
  paint() {
    paintDrawing(this.context, this.sketch().drawing);
    const { background } = this.sketch().drawing;
    if (this.#points) paintMark(this.context, this.strokeOf(this.#points), background);
    else if (this.#at) this.#ghost(...this.#at);
    if (this.#at && this.#isByKeys) crosshair(this.context, ...this.#at);
  }

  #ghost(x, y) {
    const stamp = this.stampAt(x, y);
    if (!stamp) return;
    const layer = new OffscreenCanvas(SIDE, SIDE);
    paintMark(layer.getContext("2d", { willReadFrequently: true }), stamp);
    this.context.globalAlpha = 0.55;
    this.context.drawImage(layer, 0, 0);
    this.context.globalAlpha = 1;
  }

  #placeOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  #down(event) {
    if (event.button !== 0) return;
    this.#isByKeys = false;
    const [x, y] = this.#placeOf(event);
    const stamp = this.stampAt(x, y);
    if (stamp) {
      this.#at = event.pointerType === "mouse" ? [x, y] : null;
      this.sketch().add(stamp);
    } else {
      this.canvas.setPointerCapture(event.pointerId);
      this.#points = [[x, y]];
      this.paint();
    }
  }

  #move(event) {
    this.#isByKeys = false;
    this.#at = event.pointerType === "mouse" ? this.#placeOf(event) : null;
    if (this.#points) for (const one of event.getCoalescedEvents?.() ?? [event]) this.#trace(one);
    this.paint();
  }

  #trace(event) {
    const [x, y] = this.#placeOf(event);
    const [lastX, lastY] = this.#points.at(-1);
    if (Math.hypot(x - lastX, y - lastY) > CLOSEST) this.#points.push([x, y]);
  }

  #up() {
    if (!this.#points) return;
    const stroke = this.strokeOf(this.#points);
    this.#points = null;
    this.sketch().add(stroke);
  }

  #leave() {
    this.#up();
    this.#at = null;
    this.paint();
  }

  #key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) this.#go(way[0] * STEP, way[1] * STEP);
    else if (event.key === " " || event.key === "Enter") this.#put();
    else return;
    event.preventDefault();
  }

  #go(dx, dy) {
    this.#isByKeys = true;
    const inside = (value) => Math.min(1, Math.max(0, value));
    const [x, y] = this.#at ?? [0.5, 0.5];
    this.#at = [inside(x + dx), inside(y + dy)];
    if (this.#points) this.#points.push(this.#at);
    this.paint();
  }

  #put() {
    this.#isByKeys = true;
    this.#at ??= [0.5, 0.5];
    const stamp = this.stampAt(...this.#at);
    if (stamp) {
      this.sketch().add(stamp);
      this.say(`${stamp.color} ${stamp.shape} put ${placeName(...this.#at)}`);
    } else if (this.#points) {
      this.#up();
      this.say("Pen up");
    } else {
      this.#points = [this.#at];
      this.say("Pen down; arrow keys draw, Space lifts it");
      this.paint();
    }
  }
}
