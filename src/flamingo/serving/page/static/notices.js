// Short messages at the foot of the page, now and then with a way back.

import { byId, make } from "./elements.js";

const SECONDS = 9;

/**
 * Shows a message for a while.
 *
 * @param {string} text
 * @param {{label: string, act: () => void}|null} offer a button beside it.
 */
export function notify(text, offer = null) {
  const button = offer && make("button", { type: "button", class: "notice-button" }, offer.label);
  const notice = make("div", { class: "notice" }, make("span", {}, text), button);
  const leave = () => notice.remove();
  button?.addEventListener("click", () => {
    leave();
    offer.act();
  });
  let timer = setTimeout(leave, SECONDS * 1000);
  // It stays while someone reads it or is about to press its button.
  for (const event of ["pointerenter", "focusin"]) {
    notice.addEventListener(event, () => clearTimeout(timer));
  }
  for (const event of ["pointerleave", "focusout"]) {
    notice.addEventListener(event, () => {
      timer = setTimeout(leave, SECONDS * 1000);
    });
  }
  byId("notices").replaceChildren(notice);
}
