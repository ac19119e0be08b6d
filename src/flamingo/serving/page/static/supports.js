// The row of support cards.

import { Card } from "./card.js";
import { gliding, makeDraggable } from "./dragging.js";
import { draw, visualOf } from "./drawing/dialog.js";
import { another } from "./drawing/variation.js";
import { byId } from "./elements.js";
import { notify } from "./notices.js";
import { supportOf } from "./store.js";

/**
 * Shows the supports of a store, and changes them.
 *
 * @param {Store} store
 * @param {(wanted: string) => Promise<object[]>} choose lets someone choose files.
 */
export class Supports {
  #cards = new Map();

  constructor(store, choose) {
    Object.assign(this, { store, choose, list: byId("supports"), end: byId("add-card") });
    store.on(["supports", "mode"], () => this.#show());
    makeDraggable(this.list, (id, to) => gliding(this.list, () => store.move(id, to)));
    byId("add-drawing").addEventListener("click", () => this.#addDrawing());
    byId("add-files").addEventListener("click", async () => this.add(await choose("many")));
    this.#show();
  }

  /** Adds a card for each visual, and goes to the first one's text. */
  add(visuals) {
    if (!visuals.length) return;
    const made = visuals.map((visual) => supportOf(visual));
    this.store.change("supports", (lesson) => lesson.supports.push(...made));
    this.#cards.get(made[0].id).said.focus();
  }

  /** Puts a visual in the place of the one on a card. */
  replaceAt(id, visual) {
    this.#change(id, (support) => {
      support.visual = visual;
    });
  }

  /** The cards in the order of the supports. */
  get cards() {
    return this.store.lesson.supports.map(({ id }) => this.#cards.get(id));
  }

  async #addDrawing() {
    const visual = await draw();
    if (visual) this.add([visual]);
  }

  #show() {
    const { supports, mode } = this.store.lesson;
    const focused = document.activeElement;
    for (const [id, card] of this.#cards) {
      if (supports.some((one) => one.id === id)) continue;
      card.element.remove();
      this.#cards.delete(id);
    }
    supports.forEach((support, i) => {
      const card = this.#cards.get(support.id) ?? this.#make(support);
      const there = this.list.children[i];
      if (there !== card.element) this.list.insertBefore(card.element, there ?? null);
      card.show(i, supports.length, mode);
    });
    this.list.append(this.end);
    byId("teach").classList.toggle("is-empty", supports.length === 0);
    // Moving an element takes its focus away.
    if (focused?.isConnected && focused !== document.activeElement) focused.focus();
  }

  #make(support) {
    const { id } = support;
    const card = new Card(support, {
      says: (said) => this.#change(id, (one) => Object.assign(one, { said }), "said"),
      asks: (question) => this.#change(id, (one) => Object.assign(one, { question }), "said"),
      edits: () => this.#edit(id),
      repeats: () => this.#repeat(id),
      removes: () => this.#remove(id),
      moves: (way) => this.#move(id, way),
    });
    card.said.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) this.#next(id);
    });
    this.#cards.set(id, card);
    return card;
  }

  #change(id, how, what = "supports") {
    this.store.change(what, ({ supports }) => how(supports.find((one) => one.id === id)));
  }

  async #edit(id) {
    const { visual } = this.store.lesson.supports.find((one) => one.id === id);
    const made = visual.drawing ? await draw(visual.drawing) : (await this.choose("one"))[0];
    if (made) this.replaceAt(id, made);
    this.#cards.get(id)?.picture.focus();
  }

  #repeat(id) {
    const { supports } = this.store.lesson;
    const at = supports.findIndex((one) => one.id === id);
    const { visual, said, question } = supports[at];
    const made = supportOf(visualOf(another(visual.drawing)), said, question);
    this.store.change("supports", () => supports.splice(at + 1, 0, made));
    byId("announcer").textContent = `Card ${at + 2} added, like card ${at + 1}.`;
  }

  #remove(id) {
    const { supports } = this.store.lesson;
    const at = supports.findIndex((one) => one.id === id);
    const removed = supports[at];
    this.store.change("supports", () => supports.splice(at, 1));
    const next = this.cards[Math.min(at, supports.length - 1)];
    (next?.said ?? byId("add-drawing")).focus();
    const act = () => this.store.change("supports", (now) => now.supports.splice(at, 0, removed));
    notify(`Card ${at + 1} is removed.`, { label: "Undo", act });
  }

  #move(id, way) {
    const at = this.store.lesson.supports.findIndex((one) => one.id === id);
    gliding(this.list, () => this.store.move(id, at + way));
    const now = this.store.lesson.supports.findIndex((one) => one.id === id);
    byId("announcer").textContent = `Now card ${now + 1}.`;
  }

  #next(id) {
    const at = this.store.lesson.supports.findIndex((one) => one.id === id);
    (this.cards[at + 1]?.said ?? byId("add-drawing")).focus();
  }
}
