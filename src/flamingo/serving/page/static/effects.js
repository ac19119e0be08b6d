// Under each card: how much it spoke for the answer, or against it.

import { make } from "./elements.js";

const SMALL = 0.05; // of log-likelihood; less is as good as nothing
const FULL = 0.25; // fills the bar, where no card did more

/** Shows an effect under each card. */
export function showEffects(cards, effects) {
  const largest = Math.max(FULL, ...effects.map(Math.abs));
  cards.forEach((card, i) => show(card.effect, effects[i] ?? 0, largest));
}

/** Takes the effects away. */
export function clearEffects(cards) {
  for (const card of cards) card.effect.hidden = true;
}

/** Which card mattered most, in words. */
export function mattered(effects) {
  if (!effects.length) return "";
  const most = effects.indexOf(Math.max(...effects));
  if (effects[most] < SMALL) return "No single card was needed for this answer.";
  const against = effects.filter((effect) => effect < -SMALL).length;
  const cards = against === 1 ? "1 card spoke" : `${against} cards spoke`;
  return `Card ${most + 1} spoke for it most.${against ? ` ${cards} against it.` : ""}`;
}

function show(place, effect, largest) {
  const isFor = effect >= 0;
  const words = Math.abs(effect) < SMALL ? "either way" : isFor ? "for it" : "against it";
  const digits = Math.abs(effect).toFixed(2);
  const value = digits === "0.00" ? digits : `${isFor ? "+" : "−"}${digits}`;
  const style = { "--length": Math.abs(effect / largest).toFixed(3) };
  const bar = make("span", { class: `effect-bar ${isFor ? "is-for" : "is-against"}`, style });
  const title = `Without this card the answer's log-likelihood would change by ${-effect.toFixed(3)}.`;
  place.title = title;
  place.replaceChildren(
    make("span", { class: "effect-track", "aria-hidden": "true" }, bar),
    make("span", { class: "effect-words" }, make("b", {}, value), ` ${words}`),
  );
  place.hidden = false;
}
