// Shows an answer while it comes, and all that is known of it when it is there.

import { mattered } from "./effects.js";
import { byId, icon, make } from "./elements.js";
import { showHeatMap } from "./heat_map.js";
import { share, tokenOf } from "./tokens.js";

const QUIET = 700; // milliseconds between two announcements of a growing answer

/** The panel of the answer: empty, waiting, writing, answered or stopped. */
export class AnswerPanel {
  #text = "";
  #announced = 0;

  constructor() {
    this.panel = byId("answer");
  }

  /** Nothing was asked yet, or something else is asked now. */
  become(state) {
    this.panel.dataset.state = state;
  }

  /** Scrolls to where it can be read; on a narrow page it comes last, so that its top goes up. */
  comeIntoView() {
    const block = matchMedia("(max-width: 899px)").matches ? "start" : "nearest";
    this.panel.scrollIntoView({ block });
  }

  wait(text) {
    this.#text = "";
    this.become("waiting");
    this.panel.classList.remove("is-stale");
    byId("waiting-text").textContent = text;
    byId("answer-text").replaceChildren();
    byId("answer-details").hidden = true;
    byId("candidates").replaceChildren();
    byId("mattered").textContent = "";
    byId("heat-map").hidden = true;
  }

  /** A further piece of a stream. */
  write({ delta, tokens }) {
    this.become("writing");
    this.#text += delta;
    byId("answer-text").append(...tokens.map(tokenOf));
    if (Date.now() - this.#announced > QUIET) this.#announce(this.#text);
  }

  /** The whole answer. */
  finish(whole, { visual, seconds, wasAskedWhy }) {
    this.become("answered");
    const text = byId("answer-text");
    // A character may be of several tokens: then they cannot be shown one by one.
    const shown = [...text.querySelectorAll(".token:not(.is-end) .token-text")];
    const written = shown.map((token) => token.textContent).join("");
    if (written.trim() !== whole.answer.trim()) text.replaceChildren(whole.answer || "(nothing)");
    this.#announce(`The answer is: ${whole.answer || "nothing"}`);
    byId("candidates").replaceChildren(...(whole.choices ?? []).map(candidate));
    showFacts(whole, seconds);
    const why = whole.explanation;
    const noWhy = wasAskedWhy ? "The server had no time or room to say why." : "";
    byId("mattered").textContent = why ? mattered(why.support_effects) : noWhy;
    showHeatMap(visual, why);
    byId("answer-details").hidden = false;
  }

  stop(text) {
    this.become("stopped");
    byId("stopped-text").textContent = text;
    this.#announce(text);
  }

  /** What is asked is no longer what was answered. */
  growOld() {
    if (this.panel.dataset.state !== "answered") return;
    this.panel.classList.add("is-stale");
  }

  #announce(text) {
    this.#announced = Date.now();
    byId("announcer").textContent = text;
  }
}

function candidate({ text, probability, score }, place) {
  const title = `log-likelihood ${score.toFixed(2)}`;
  return make(
    "li",
    { class: place === 0 ? "is-best" : "", title },
    make("span", { class: "candidate-text" }, text),
    make("span", { class: "meter", style: { "--share": probability.toFixed(4) } }),
    make("span", { class: "candidate-share" }, share(probability)),
  );
}

function signed(score) {
  const digits = Math.abs(score).toFixed(2);
  return score < 0 && Number(digits) ? `−${digits}` : digits;
}

function showFacts({ score, finish_reason: finish, usage }, seconds) {
  const { prompt_tokens: read, completion_tokens: written } = usage;
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  const facts = [
    ["clock", "Time", seconds < 0.1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`],
    ["tokens", "Tokens", `${read} read, ${written} written`],
    ["cache", "From the cache", `${cached} of ${read}`],
    ["score", "Log-likelihood", signed(score)],
  ];
  if (finish === "length") facts.push(["cut", "Ended", "cut at the length you set"]);
  byId("facts").replaceChildren(...facts.map(([name, term, value]) => make(
    "div", {}, make("dt", {}, icon(name), term), make("dd", {}, value),
  )));
}
