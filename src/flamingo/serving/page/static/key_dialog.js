// Asks for the key of a server that wants one.

import { byId } from "./elements.js";

let asked = null;

/**
 * Asks once, however many requests wait for it.
 *
 * @param {boolean} wasRefused whether a key was given before.
 * @returns {Promise<string|null>} the key; null if none is given.
 */
export function askForKey(wasRefused) {
  asked ??= new Promise((resolve) => {
    const dialog = byId("key-dialog");
    byId("key-refused").hidden = !wasRefused;
    byId("key-input").value = "";
    let key = null;
    byId("key-form").onsubmit = () => {
      key = byId("key-input").value.trim();
    };
    byId("key-cancel").onclick = () => dialog.close();
    dialog.onclose = () => {
      asked = null;
      resolve(key);
    };
    dialog.showModal();
  });
  return asked;
}
