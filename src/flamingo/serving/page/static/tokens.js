// An answer token by token: how sure the model was of each, and what else it thought of.

import { make } from "./elements.js";

const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });
const SPECIAL = /^<.*>$/; // such as <EOC>, which ends an answer

/** A probability for people: "98%", "<1%". */
export function share(probability) {
  return probability > 0 && probability < 0.005 ? "<1%" : percent.format(probability);
}

/** A token as a button, underlined as strongly as it was likely; it shows its alternatives. */
export function tokenOf(token) {
  const probability = Math.exp(token.log_probability);
  const isEnd = token.text === "" || SPECIAL.test(token.text.trim());
  const shown = isEnd ? "end" : token.text;
  const label = `${shown.trim() || "space"}, ${share(probability)}`;
  const attributes = { type: "button", class: `token ${isEnd ? "is-end" : ""}`.trim(), "aria-label": label };
  const others = make("span", { class: "alternatives", role: "tooltip" });
  for (const one of token.alternatives ?? []) others.append(alternative(one, token.text));
  if (!others.children.length) others.append(alternative(token, token.text));
  const style = { "--sure": probability.toFixed(3) };
  return make("button", { ...attributes, style }, make("span", { class: "token-text" }, shown), others);
}

function alternative({ text, log_probability: logProbability }, chosen) {
  const probability = Math.exp(logProbability);
  const isEnd = text === "" || SPECIAL.test(text.trim());
  const row = make("span", { class: `alternative ${text === chosen ? "is-chosen" : ""}`.trim() });
  row.append(
    make("span", { class: "alternative-text" }, isEnd ? "end of answer" : text.trim() || "(space)"),
    make("span", { class: "meter", style: { "--share": probability.toFixed(4) } }),
    make("span", { class: "alternative-share" }, share(probability)),
  );
  return row;
}
