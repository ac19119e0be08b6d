// A drawing while it is made: marks, and the way back.

/** An empty drawing. */
export function blank(background = "white") {
  return { background, marks: [] };
}

/** A drawing with undo and redo; calls `changed` after each change. */
export class Sketch {
  #past = [];
  #future = [];

  constructor(drawing, changed) {
    this.drawing = structuredClone(drawing);
    this.changed = changed;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  get isEmpty() {
    return this.drawing.marks.length === 0;
  }

  add(mark) {
    this.#become({ ...this.drawing, marks: [...this.drawing.marks, mark] });
  }

  fill(background) {
    if (background !== this.drawing.background) this.#become({ ...this.drawing, background });
  }

  clear() {
    if (!this.isEmpty) this.#become(blank(this.drawing.background));
  }

  undo() {
    if (this.canUndo) this.#step(this.#past, this.#future);
  }

  redo() {
    if (this.canRedo) this.#step(this.#future, this.#past);
  }

  #become(drawing) {
    this.#past.push(this.drawing);
    this.#future = [];
    this.drawing = drawing;
    this.changed();
  }

  #step(from, to) {
    to.push(this.drawing);
    this.drawing = from.pop();
    this.changed();
  }
}
