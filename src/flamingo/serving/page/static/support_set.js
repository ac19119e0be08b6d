// A support set as a file: what the server keeps, and what people hand to each other.

import { emptyLesson, supportOf } from "./store.js";

const FORMAT = "flamingo-support-set";
const VERSION = 1;

/** Why a file is no support set. */
export class SetError extends Error {}

/** The supports of a lesson as a support set of this name. */
export function setOf(lesson, name) {
  const { mode, question, pattern, supports } = lesson;
  const set = { format: FORMAT, version: VERSION, name };
  if (mode === "question") set.question = question;
  set.template = templateOf(lesson);
  set.supports = supports.map(({ visual, said, question: own }) => {
    if (mode === "caption") return { visual: visual.url, output: said };
    return { visual: visual.url, question: mode === "questions" ? own : question, answer: said };
  });
  return set;
}

/** The name of a lesson's template, or its own pattern. */
export function templateOf({ mode, pattern }) {
  if (mode !== "caption") return "question-answer";
  return pattern.trim() || "caption";
}

/**
 * A lesson with the supports of a set, and an empty query.
 *
 * @throws {SetError} it is none, or of a later version.
 */
export function lessonOf(set) {
  if (set?.format !== FORMAT || !Array.isArray(set.supports)) {
    throw new SetError(`This is no support set: "format" is not "${FORMAT}".`);
  }
  if (set.version > VERSION) {
    throw new SetError(`The file is of version ${set.version}; this page reads ${VERSION}.`);
  }
  const lesson = emptyLesson();
  lesson.supports = set.supports.map((one, i) => {
    const said = one.output ?? one.answer;
    if (typeof said !== "string") throw new SetError(`Support ${i + 1} says nothing.`);
    return supportOf(visualFrom(one.visual, i), said, one.question ?? set.question ?? "");
  });
  const questions = new Set(lesson.supports.map((one) => one.question));
  if (set.question || [...questions].some(Boolean)) {
    lesson.mode = questions.size > 1 ? "questions" : "question";
    lesson.question = set.question || [...questions][0];
  } else if (set.template && set.template !== "caption") {
    lesson.pattern = set.template;
  }
  return lesson;
}

function visualFrom(shown, i) {
  const url = typeof shown === "string" ? shown : shown?.url;
  const type = /^data:((?:image|video)\/[\w.+-]+)/.exec(url ?? "")?.[1];
  if (!type) throw new SetError(`Support ${i + 1} has no picture or clip in it (a data: URL).`);
  const kind = type.startsWith("video/") || type === "image/gif" ? "clip" : "image";
  return { url, kind, width: 0, height: 0, name: "", note: "" };
}
