// The picture that is asked about.

import { draw } from "./drawing/dialog.js";
import { byId, icon, make } from "./elements.js";
import { pictureOf } from "./picture.js";

/**
 * Shows the query of a store, and changes it.
 *
 * @param {Store} store
 * @param {(wanted: string) => Promise<object[]>} choose lets someone choose files.
 */
export class Query {
  #shown = undefined;

  constructor(store, choose) {
    Object.assign(this, { store, choose });
    store.on(["query", "mode"], () => this.#show());
    for (const id of ["query-draw", "query-redraw"]) {
      byId(id).addEventListener("click", () => this.#draw());
    }
    for (const id of ["query-file", "query-replace"]) {
      byId(id).addEventListener("click", async () => this.put((await choose("one"))[0]));
    }
    byId("query-remove").addEventListener("click", () => {
      this.put(null);
      byId("query-draw").focus();
    });
    byId("query-question").addEventListener("input", (event) => {
      store.change("query-said", ({ query }) => {
        query.question = event.target.value;
      });
    });
    this.#show();
  }

  /** Puts a visual there; null empties it, undefined leaves it. */
  put(visual) {
    if (visual === undefined) return;
    this.store.change("query", ({ query }) => {
      query.visual = visual;
    });
  }

  async #draw() {
    const visual = await draw(this.store.lesson.query.visual?.drawing);
    if (visual) this.put(visual);
    byId("query-redraw").focus();
  }

  #show() {
    const { query, mode } = this.store.lesson;
    byId("query-question-field").hidden = mode !== "questions";
    const field = byId("query-question");
    if (field.value !== query.question) field.value = query.question;
    if (this.#shown === query.visual) return;
    this.#shown = query.visual;
    byId("query-empty").hidden = Boolean(query.visual);
    byId("query-full").hidden = !query.visual;
    byId("query-note").textContent = query.visual?.note ?? "";
    byId("query-note").hidden = !query.visual?.note;
    const place = byId("query-picture");
    place.replaceChildren();
    if (!query.visual) return;
    const word = query.visual.drawing ? "Redraw" : "Draw";
    byId("query-redraw").replaceChildren(icon("pen"), make("span", {}, word));
    place.append(pictureOf(query.visual, `Query: ${query.visual.name || query.visual.kind}`));
  }
}
