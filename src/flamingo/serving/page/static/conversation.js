// Asks the server, and brings what comes back to where it is shown.

import { AnswerPanel } from "./answer.js";
import { ServerError } from "./api.js";
import { requestOf } from "./asking.js";
import { clearEffects, showEffects } from "./effects.js";
import { byId } from "./elements.js";
import { Problem, clearProblems, placeOf, showProblem } from "./problems.js";

/**
 * @param {Store} store
 * @param {Api} api
 * @param {Supports} supports whose cards show what they did for the answer.
 * @param {() => object|null} model that is asked.
 */
export class Conversation {
  #abort = null;
  #isElsewhere = false;

  constructor(store, api, supports, model) {
    Object.assign(this, { store, api, supports, model, panel: new AnswerPanel() });
    byId("ask-button").addEventListener("click", () => this.ask());
    byId("cancel-button").addEventListener("click", () => this.#abort?.abort());
    addEventListener("keydown", (event) => {
      const wants = event.key === "Enter" && (event.ctrlKey || event.metaKey);
      if (!wants || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      this.ask();
    });
    for (const moved of ["wheel", "touchmove", "pointerdown"]) {
      addEventListener(moved, () => { this.#isElsewhere = true; }, { passive: true });
    }
    store.addEventListener("change", () => this.#growOld());
  }

  async ask() {
    if (this.#abort) return;
    clearProblems();
    const { lesson } = this.store;
    const abort = new AbortController();
    try {
      const model = this.model();
      if (!model) throw new Problem("ask", "The server has not said yet which model it serves.");
      const body = requestOf(lesson, model);
      this.#abort = abort;
      this.#begin(lesson);
      const start = performance.now();
      const whole = await this.api.answer(body, { signal: abort.signal, ...this.#progress() });
      const seconds = (performance.now() - start) / 1000;
      this.panel.finish(whole, { visual: lesson.query.visual, seconds, wasAskedWhy: body.explain });
      const effects = whole.explanation?.support_effects;
      if (effects) showEffects(this.supports.cards, effects);
      // It has grown, and so have the cards above it.
      if (!this.#isElsewhere) this.panel.comeIntoView();
    } catch (error) {
      this.#fail(error);
    } finally {
      if (this.#abort === abort) this.#abort = null;
      this.#showBusy(false);
    }
  }

  #begin({ supports }) {
    clearEffects(this.supports.cards);
    const count = supports.length === 1 ? "1 card" : `${supports.length} cards`;
    this.waiting = `Reading ${supports.length ? `${count} and ` : ""}your picture`;
    this.panel.wait(this.waiting);
    this.#showBusy(true);
    this.#isElsewhere = false;
    this.panel.comeIntoView();
  }

  #progress() {
    return {
      onPiece: (piece) => this.panel.write(piece),
      onWait: (left) => this.panel.wait(
        left ? `The server is busy. Trying again in ${left} s` : this.waiting,
      ),
    };
  }

  #fail(error) {
    if (error.name === "AbortError") {
      this.panel.stop("You stopped it. What you taught is still there.");
      return;
    }
    if (!(error instanceof Problem) && !(error instanceof ServerError)) {
      this.panel.stop("The page made a mistake. Reload it; what you made is kept.");
      throw error;
    }
    const place = error instanceof Problem ? error.place : placeOf(error.param);
    if (error instanceof ServerError) this.panel.stop("No answer, for the reason that is shown.");
    showProblem(place, error.message);
  }

  #showBusy(isBusy) {
    byId("ask-button").hidden = isBusy;
    byId("cancel-button").hidden = !isBusy;
    if (document.activeElement === document.body) {
      byId(isBusy ? "cancel-button" : "ask-button").focus({ preventScroll: true });
    }
  }

  #growOld() {
    clearProblems();
    if (this.#abort) return;
    this.panel.growOld();
    clearEffects(this.supports.cards);
  }
}
