// Support sets that the server keeps by name.

import { ServerError } from "./api.js";
import { byId, iconButton, make, wordButton } from "./elements.js";
import { notify } from "./notices.js";
import { nameOf } from "./sharing.js";
import { SetError, setOf } from "./support_set.js";

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** The dialog that lists, opens, keeps and deletes them. */
export class SetsDialog {
  constructor(store, api, sharing) {
    Object.assign(this, { store, api, sharing, dialog: byId("sets-dialog") });
    byId("server-sets").addEventListener("click", () => this.show());
    byId("sets-close").addEventListener("click", () => this.dialog.close());
    byId("keep-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#keep(event.submitter?.id === "keep-replace");
    });
    byId("keep-name").addEventListener("input", () => this.#mayReplace(false));
  }

  async show() {
    this.#mayReplace(false);
    this.#say("");
    const { supports } = this.store.lesson;
    byId("keep-form").hidden = supports.length === 0;
    byId("keep-name").value = supports.length ? nameOf(this.store.lesson) : "";
    this.dialog.showModal();
    await this.#list();
  }

  async #list() {
    await this.#try(async () => {
      const sets = await this.api.supportSets();
      byId("sets-empty").hidden = sets.length > 0;
      byId("sets-list").replaceChildren(...sets.map((set) => this.#row(set)));
    });
  }

  #row(set) {
    const count = set.num_supports === 1 ? "1 card" : `${set.num_supports} cards`;
    const facts = `${count} · ${sizeOf(set.bytes)} · ${day.format(new Date(set.created * 1000))}`;
    return make(
      "li",
      {},
      make("div", {}, make("b", {}, set.name), make("span", { class: "quiet" }, facts)),
      wordButton("open", "Open", () => this.#open(set)),
      iconButton("trash", `Delete ${set.name}`, () => this.#delete(set)),
    );
  }

  async #open(set) {
    await this.#try(async () => {
      this.sharing.open(await this.api.supportSet(set.id), set.name);
      this.dialog.close();
    });
  }

  async #delete(set) {
    await this.#try(async () => {
      const whole = await this.api.supportSet(set.id);
      await this.api.deleteSupportSet(set.id);
      const act = () => this.#try(async () => {
        const { format, version, name, question, template, supports } = whole;
        await this.api.keepSupportSet({ format, version, name, question, template, supports });
        await this.#list();
      });
      notify(`${set.name} is deleted from the server.`, { label: "Undo", act });
      await this.#list();
      byId("sets-close").focus();
    });
  }

  async #keep(replace) {
    const name = byId("keep-name").value.trim();
    await this.#try(async () => {
      await this.api.keepSupportSet({ ...setOf(this.store.lesson, name), replace });
      this.#mayReplace(false);
      this.#say(`Kept as ${name}.`, true);
      await this.#list();
    });
  }

  #mayReplace(may) {
    byId("keep-replace").hidden = !may;
  }

  async #try(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ServerError) && !(error instanceof SetError)) throw error;
      this.#mayReplace(error.status === 409);
      this.#say(error.message);
    }
  }

  #say(text, isGood = false) {
    const at = byId("sets-problem");
    at.textContent = text;
    at.hidden = !text;
    at.classList.toggle("is-good", isGood);
  }
}

function sizeOf(bytes) {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 2 ** 20).toFixed(1)} MB`;
}
