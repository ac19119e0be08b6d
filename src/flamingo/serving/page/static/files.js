// Files that are chosen, dropped or pasted.

import { byId } from "./elements.js";
import { IntakeError, readVisual } from "./intake.js";
import { showProblem } from "./problems.js";

/**
 * @param {() => object} limits of the server.
 * @param {object} takes what comes of files: supports(visuals), query(visual), set(file),
 *   card(id, visual).
 */
export class Files {
  constructor(limits, takes) {
    Object.assign(this, { limits, takes });
    addEventListener("dragover", (event) => this.#over(event));
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) mark(null);
    });
    addEventListener("drop", (event) => this.#drop(event));
    addEventListener("paste", (event) => this.#paste(event));
  }

  /** Lets someone choose "one" or "many" files, which become visuals. */
  choose(wanted) {
    const input = byId("file-input");
    input.multiple = wanted === "many";
    input.value = "";
    return new Promise((resolve) => {
      input.onchange = async () => resolve(await this.read([...input.files]));
      input.oncancel = () => resolve([]);
      input.click();
    });
  }

  /** Reads what can be read, and says beside the place why the rest cannot. */
  async read(files, place = "supports") {
    const [visuals, refused] = [[], []];
    for (const file of files) {
      try {
        visuals.push(await readVisual(file, this.limits()));
      } catch (error) {
        if (!(error instanceof IntakeError)) throw error;
        refused.push(error.message);
      }
    }
    // Later: what is added beside it changes the lesson, which takes old problems away.
    if (refused.length) setTimeout(() => showProblem(place, refused.join("\n")));
    return visuals;
  }

  #over(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    mark(event.target.closest?.("#query-slot, .card, #teach, #ask") ?? byId("teach"));
  }

  #drop(event) {
    mark(null);
    if (!event.dataTransfer?.files.length || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    this.#take([...event.dataTransfer.files], event.target);
  }

  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    this.#take(files, document.activeElement);
  }

  async #take(files, at) {
    const isSet = (file) => file.type === "application/json" || file.name.endsWith(".json");
    for (const file of files.filter(isSet)) await this.takes.set(file);
    const isQuery = at?.closest?.("#ask") !== null && at?.closest?.("#ask") !== undefined;
    const visuals = await this.read(files.filter((file) => !isSet(file)), isQuery ? "query" : "supports");
    if (!visuals.length) return;
    const card = at?.closest?.(".card");
    if (isQuery) this.takes.query(visuals[0]);
    else if (card && visuals.length === 1) this.takes.card(card.dataset.id, visuals[0]);
    else this.takes.supports(visuals);
  }
}

function mark(target) {
  for (const one of document.querySelectorAll(".is-target")) one.classList.remove("is-target");
  target?.classList.add("is-target");
}
