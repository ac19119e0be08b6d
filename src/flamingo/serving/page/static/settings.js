// How an answer is looked for: open or among choices, how long, greedy or by beams.

import { byId, iconButton, make } from "./elements.js";
import { choicesOf, thingsSaid } from "./store.js";

/** Shows and changes the settings of a lesson. */
export function showSettings(store) {
  const change = (how) => store.change("asking", ({ asking }) => how(asking));
  for (const radio of document.querySelectorAll("[name=ending]")) {
    radio.addEventListener("change", () => change((asking) => {
      asking.isClosed = radio.value === "closed";
    }));
  }
  byId("max-tokens").addEventListener("change", ({ target }) => change((asking) => {
    asking.maxTokens = Math.min(Number(target.max), Math.max(1, Math.round(Number(target.value)) || 20));
  }));
  byId("num-frames").addEventListener("change", ({ target }) => change((asking) => {
    asking.numFrames = Math.min(Number(target.max), Math.max(1, Math.round(Number(target.value)) || 8));
  }));
  byId("num-beams").addEventListener("change", ({ target }) => change((asking) => {
    asking.numBeams = Number(target.value);
  }));
  byId("explains").addEventListener("change", ({ target }) => change((asking) => {
    asking.explains = target.checked;
  }));
  byId("new-choice-form").addEventListener("submit", (event) => {
    event.preventDefault();
    addChoice(store, byId("new-choice").value.trim());
    byId("new-choice").value = "";
  });
  byId("choices-reset").addEventListener("click", () => {
    change((asking) => {
      asking.choices = null;
    });
    byId("new-choice").focus();
  });
  store.on(["asking", "supports", "said"], (lesson) => show(lesson, store));
  show(store.lesson, store);
}

/** Bounds what can be asked for by the limits of the server. */
export function fitSettings(model) {
  const { new_tokens: tokens, frames } = model.flamingo?.limits ?? {};
  if (tokens) byId("max-tokens").max = tokens;
  if (frames) byId("num-frames").max = frames;
}

function show(lesson, store) {
  const { asking } = lesson;
  for (const radio of document.querySelectorAll("[name=ending]")) {
    radio.checked = (radio.value === "closed") === asking.isClosed;
  }
  byId("choices-field").hidden = !asking.isClosed;
  byId("open-settings").hidden = asking.isClosed;
  byId("max-tokens").value = asking.maxTokens;
  byId("num-frames").value = asking.numFrames;
  byId("num-beams").value = asking.numBeams;
  byId("explains").checked = asking.explains;
  byId("choices-reset").hidden = asking.choices === null;
  byId("choices").replaceChildren(...choicesOf(lesson).map((choice) => chip(choice, store)));
  const missing = thingsSaid(lesson).filter((said) => !choicesOf(lesson).includes(said));
  byId("suggestions").replaceChildren(...missing.map((said) => suggestion(said, store)));
}

function addChoice(store, choice) {
  const now = choicesOf(store.lesson);
  if (!choice || now.includes(choice)) return;
  store.change("asking", ({ asking }) => {
    asking.choices = [...now, choice];
  });
}

function chip(choice, store) {
  const remove = () => {
    const rest = choicesOf(store.lesson).filter((other) => other !== choice);
    store.change("asking", ({ asking }) => {
      asking.choices = rest;
    });
    byId("new-choice").focus();
  };
  return make("li", { class: "chip" }, choice, iconButton("close", `Remove ${choice}`, remove, "tiny"));
}

function suggestion(said, store) {
  const add = () => {
    addChoice(store, said);
    byId("new-choice").focus();
  };
  const attributes = { type: "button", class: "chip suggested", on: { click: add } };
  return make("li", {}, make("button", attributes, `+ ${said}`));
}
