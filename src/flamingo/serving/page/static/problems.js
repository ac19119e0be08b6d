// Says what is wrong beside what caused it.

import { byId, icon } from "./elements.js";

/** Something that has to be put right before one can ask. */
export class Problem extends Error {
  /** @param {string|number} place a part of the page, or the number of a support from 0. */
  constructor(place, message) {
    super(message);
    this.place = place;
  }
}

const PLACES = [
  [/supports\D*\d/, (param) => Number(param.match(/supports\D*(\d+)/)[1])],
  [/question/, () => "question"],
  [/template/, () => "question"],
  [/choices/, () => "choices"],
  [/query/, () => "query"],
  [/max_tokens|num_beams|temperature/, () => "settings"],
];

/** The part of the page that a parameter of a request comes from; "ask" if from none in particular. */
export function placeOf(param) {
  const found = PLACES.find(([pattern]) => pattern.test(param ?? ""));
  return found ? found[1](param) : "ask";
}

/** Shows a problem at its place. */
export function showProblem(place, message) {
  const at = elementAt(place);
  at.replaceChildren(icon("alert"), message);
  at.hidden = false;
  at.closest("[data-part]")?.classList.add("has-problem");
  // Of a card all is shown: what it says is wrong concerns its picture.
  (at.closest(".card") ?? at).scrollIntoView({ block: "nearest" });
}

/** Takes all problems away. */
export function clearProblems() {
  for (const at of document.querySelectorAll(".problem")) {
    at.hidden = true;
    at.replaceChildren();
    at.closest("[data-part]")?.classList.remove("has-problem");
  }
}

function elementAt(place) {
  if (typeof place !== "number") return byId(`${place}-problem`);
  const card = document.querySelectorAll("#supports .card")[place];
  return card?.querySelector(".problem") ?? byId("supports-problem");
}
