// What the cards are about: captions, one question for all, or a question on each.

import { byId } from "./elements.js";

const QUESTION_TEMPLATE = "question-answer";

/** Shows and changes the mode, the question of all, and the pattern of a lesson. */
export function showTask(store) {
  const modes = document.querySelectorAll("[name=mode]");
  for (const radio of modes) {
    radio.addEventListener("change", () => store.change("mode", (lesson) => {
      if (lesson.mode === "question" && radio.value === "questions") spread(lesson);
      lesson.mode = radio.value;
    }));
  }
  for (const [id, field] of [["shared-question", "question"], ["pattern", "pattern"]]) {
    byId(id).addEventListener("input", (event) => store.change("said", (lesson) => {
      lesson[field] = event.target.value;
    }));
  }
  const show = ({ mode, question, pattern }) => {
    for (const radio of modes) radio.checked = radio.value === mode;
    byId("shared-question-field").hidden = mode !== "question";
    byId("pattern-field").hidden = mode !== "caption";
    for (const [id, value] of [["shared-question", question], ["pattern", pattern]]) {
      if (byId(id).value !== value) byId(id).value = value;
    }
  };
  store.on(["mode"], show);
  show(store.lesson);
}

/** Leaves out what a model has no template for. */
export function fitTask(model) {
  const templates = model.flamingo?.templates;
  if (templates && !(QUESTION_TEMPLATE in templates)) byId("modes").hidden = true;
}

/** The question of all becomes that of each which has none. */
function spread(lesson) {
  for (const one of [...lesson.supports, lesson.query]) one.question ||= lesson.question;
}
