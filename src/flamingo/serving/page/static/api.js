// The server: models, few-shot answers and support sets.

import { eventsOf } from "./event_stream.js";

const KEY = "flamingo-key";

/** What the server says is wrong. */
export class ServerError extends Error {
  constructor(message, status = 0, param = null) {
    super(message);
    Object.assign(this, { status, param });
  }
}

/**
 * @param {(wasRefused: boolean) => Promise<string|null>} askForKey called where the server wants a key.
 */
export class Api {
  constructor(askForKey) {
    this.askForKey = askForKey;
  }

  /** The first model that is served, with what it can do. */
  async model() {
    return (await this.#json("v1/models")).data[0];
  }

  async supportSets() {
    return (await this.#json("v1/few_shot/support_sets")).data;
  }

  supportSet(id) {
    return this.#json(`v1/few_shot/support_sets/${encodeURIComponent(id)}`);
  }

  keepSupportSet(set) {
    return this.#json("v1/few_shot/support_sets", { method: "POST", body: set });
  }

  deleteSupportSet(id) {
    return this.#json(`v1/few_shot/support_sets/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  /**
   * Asks for an answer.
   *
   * @param {object} body see POST /v1/few_shot.
   * @param {AbortSignal} signal
   * @param {(piece: object) => void} onPiece called with each piece of a stream.
   * @param {(seconds: number) => void} onWait called each second while the server is busy.
   * @returns {Promise<object>} the whole answer.
   */
  async answer(body, { signal, onPiece, onWait }) {
    const response = await this.#send("v1/few_shot", { method: "POST", body, signal, onWait });
    if (!body.stream) return response.json();
    let whole = null;
    for await (const data of eventsOf(response)) {
      const event = JSON.parse(data);
      if (event.error) throw new ServerError(event.error.message, 200, event.error.param);
      if (event.object === "few_shot.answer.chunk") onPiece(event);
      else whole = event;
    }
    if (!whole) throw new ServerError("The connection broke before the answer was complete. Ask again.");
    return whole;
  }

  async #json(path, options) {
    return (await this.#send(path, options)).json();
  }

  async #send(path, options = {}) {
    let response = await this.#once(path, options);
    while (response.status === 401) {
      const key = await this.askForKey(hasKey());
      if (!key) break;
      sessionStorage.setItem(KEY, key);
      response = await this.#once(path, options);
    }
    if (response.status === 429 && options.onWait) {
      await countdown(Number(response.headers.get("retry-after")) || 1, options);
      response = await this.#once(path, options);
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  async #once(path, { method = "GET", body, signal }) {
    const headers = {};
    if (body) headers["Content-Type"] = "application/json";
    if (hasKey()) headers.Authorization = `Bearer ${sessionStorage.getItem(KEY)}`;
    try {
      return await fetch(path, { method, headers, signal, body: body && JSON.stringify(body) });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServerError("The server cannot be reached. Is it running, and are you connected?");
    }
  }
}

function hasKey() {
  return sessionStorage.getItem(KEY) !== null;
}

async function countdown(seconds, { onWait, signal }) {
  for (let left = Math.ceil(seconds); left > 0; left -= 1) {
    onWait(left);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    signal?.throwIfAborted();
  }
  onWait(0);
}

async function errorOf(response) {
  try {
    const { error } = await response.json();
    return new ServerError(error.message, response.status, error.param);
  } catch {
    return new ServerError(`The server answered with status ${response.status}.`, response.status);
  }
}
