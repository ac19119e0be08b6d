// Support sets as files that are saved and opened.

import { byId } from "./elements.js";
import { notify } from "./notices.js";
import { showProblem } from "./problems.js";
import { SetError, lessonOf, setOf } from "./support_set.js";

/** Saves the supports of a store as files, and opens such files. */
export class Sharing {
  constructor(store) {
    this.store = store;
    byId("save-file").addEventListener("click", () => this.save());
    byId("open-file").addEventListener("click", () => byId("set-input").click());
    byId("set-input").addEventListener("change", async ({ target }) => {
      const [file] = target.files;
      target.value = "";
      if (file) await this.openFile(file);
    });
    byId("clear-cards").addEventListener("click", () => this.put({}, "Everything is cleared."));
    store.on(["supports"], ({ supports }) => {
      for (const id of ["save-file", "clear-cards"]) byId(id).disabled = supports.length === 0;
    });
  }

  save() {
    const name = this.store.lesson.supports.length ? nameOf(this.store.lesson) : "";
    if (!name) return;
    const set = JSON.stringify(setOf(this.store.lesson, name), null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([set], { type: "application/json" }));
    link.download = `${name.replace(/[^\w-]+/g, "-")}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    notify(`Saved as ${link.download}.`);
  }

  async openFile(file) {
    try {
      this.open(JSON.parse(await file.text()), file.name);
    } catch (error) {
      const isPlain = error instanceof SyntaxError;
      if (!isPlain && !(error instanceof SetError)) throw error;
      showProblem("supports", isPlain ? `${file.name} is no JSON file.` : `${file.name}: ${error.message}`);
    }
  }

  /** Puts the supports of a set in the place of those that are there. */
  open(set, name) {
    const { query, asking } = this.store.lesson;
    const lesson = { ...lessonOf(set), query, asking: { ...asking, choices: null } };
    this.put(lesson, `Opened ${set.name || name}.`);
  }

  /** Replaces the lesson, with a way back. */
  put(lesson, text) {
    const before = structuredClone(this.store.lesson);
    const hadSomething = before.supports.length > 0 || before.query.visual;
    this.store.replace(lesson);
    const act = () => this.store.replace(before);
    if (hadSomething) notify(text, { label: "Undo", act });
    else byId("announcer").textContent = text;
  }
}

/** A name for a file or a set: what its cards say. */
export function nameOf({ supports }) {
  const said = [...new Set(supports.map((one) => one.said.trim()).filter(Boolean))];
  return said.slice(0, 3).join(", ").slice(0, 60) || "support set";
}
