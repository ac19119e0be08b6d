// One support: a picture, and what is said of it.

import { iconButton, make, icon } from "./elements.js";
import { pictureOf } from "./picture.js";

/**
 * The card of a support.
 *
 * @param {object} support
 * @param {object} does what its controls do: says, asks, edits, repeats, removes, moves(way).
 */
export class Card {
  #shown = null;

  constructor(support, does) {
    this.support = support;
    this.does = does;
    this.picture = make("button", { type: "button", class: "card-picture", on: { click: does.edits } });
    this.question = this.#field("card-question", "Question", "What is asked of it?", does.asks);
    this.said = this.#field("card-said", "What it is", "What is it?", does.says);
    this.grip = make("span", { class: "grip", title: "Drag to another place", "aria-hidden": "true" });
    this.note = make("p", { class: "note", hidden: true });
    this.effect = make("div", { class: "effect", hidden: true });
    this.earlier = iconButton("left", "Move earlier", () => does.moves(-1));
    this.later = iconButton("right", "Move later", () => does.moves(1));
    this.repeat = iconButton("again", "Another like this", does.repeats);
    this.remove = iconButton("close", "Remove", does.removes, "card-remove");
    this.element = this.#put();
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Brings the card up to date. */
  show(number, count, mode) {
    const { support, element } = this;
    element.setAttribute("aria-label", `Card ${number + 1} of ${count}`);
    this.grip.replaceChildren(icon("grip"), String(number + 1));
    if (this.#shown !== support.visual) this.#showPicture();
    if (this.said.value !== support.said) this.said.value = support.said;
    if (this.question.value !== support.question) this.question.value = support.question;
    this.question.hidden = mode !== "questions";
    this.said.placeholder = mode === "caption" ? "What is it?" : "The answer";
    this.said.setAttribute("aria-label", `What card ${number + 1} says`);
    this.earlier.disabled = number === 0;
    this.later.disabled = number === count - 1;
    this.repeat.hidden = !support.visual.drawing;
    this.note.textContent = support.visual.note ?? "";
    this.note.hidden = !support.visual.note;
  }

  #showPicture() {
    const { visual } = this.support;
    this.#shown = visual;
    const doing = visual.drawing ? "Redraw" : "Replace";
    const cover = make("span", { class: "cover" }, icon(visual.drawing ? "pen" : "file"), doing);
    this.picture.replaceChildren(pictureOf(visual, visual.name || visual.kind), cover);
    this.picture.setAttribute("aria-label", `${doing} the ${visual.drawing ? "drawing" : visual.kind}`);
  }

  #field(kind, label, placeholder, changed) {
    const attributes = { class: kind, "aria-label": label, placeholder, autocomplete: "off" };
    const input = ({ target }) => {
      // It grows with what is written, but a line of its own would be a part of the answer.
      if (target.value.includes("\n")) target.value = target.value.replaceAll(/\s*\n\s*/g, " ");
      changed(target.value);
    };
    const keydown = (event) => {
      if (event.key === "Enter") event.preventDefault();
    };
    const on = { input, keydown };
    return make("textarea", { rows: 1, ...attributes, autocapitalize: "none", spellcheck: "false", on });
  }

  #put() {
    const tools = make("div", { class: "card-tools" }, this.earlier, this.repeat, this.later);
    const problem = make("p", { class: "problem", role: "alert", hidden: true });
    const head = make("div", { class: "card-head" }, this.grip, this.remove);
    const parts = [head, this.picture, this.question, this.said, this.note];
    const attributes = { class: "card", "data-part": "card", "data-id": this.support.id };
    return make("li", attributes, ...parts, problem, this.effect, tools);
  }

  #key(event) {
    if (!event.altKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    this.does.moves(event.key === "ArrowLeft" ? -1 : 1);
  }
}
