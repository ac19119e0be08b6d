// From a lesson to a request, and what is missing for one.

import { Problem } from "./problems.js";
import { choicesOf } from "./store.js";
import { setOf, templateOf } from "./support_set.js";

/**
 * The body of a request for POST /v1/few_shot.
 *
 * @throws {Problem} something is not filled in.
 */
export function requestOf(lesson, model) {
  check(lesson, model);
  const { query, asking, mode } = lesson;
  const choices = asking.isClosed ? choicesOf(lesson) : [];
  const shown = (visual) => shownOf(visual, asking.numFrames);
  const asked = { visual: shown(query.visual) };
  if (mode !== "caption") asked.question = questionOf(lesson);
  const body = {
    model: model.id,
    supports: setOf(lesson, "").supports.map((one, i) => ({
      ...one,
      visual: shown(lesson.supports[i].visual),
    })),
    query: asked,
    template: templateOf(lesson),
    explain: asking.explains,
  };
  if (choices.length) return { ...body, choices };
  const isStreamed = asking.numBeams === 1;
  return { ...body, max_tokens: asking.maxTokens, num_beams: asking.numBeams, stream: isStreamed };
}

/** A clip is looked at in so many frames, whatever its length. */
function shownOf({ url, kind }, numFrames) {
  return kind === "clip" ? { url, num_frames: numFrames } : url;
}

function questionOf({ mode, question, query }) {
  return (mode === "question" ? question : query.question).trim();
}

function check(lesson, model) {
  const { mode, supports, query, asking } = lesson;
  if (mode !== "caption" && !questionOf(lesson)) {
    const place = mode === "question" ? "question" : "query";
    throw new Problem(place, "Write the question first.");
  }
  supports.forEach((one, i) => {
    if (!one.said.trim()) throw new Problem(i, "Say what this is, or remove the card.");
    if (mode === "questions" && !one.question.trim()) throw new Problem(i, "This card has no question.");
  });
  if (!query.visual) throw new Problem("query", "Give a picture to ask about.");
  const most = model.flamingo?.limits?.visuals ?? Infinity;
  if (supports.length + 1 > most) {
    throw new Problem("ask", `${supports.length + 1} pictures are more than the server takes (${most}).`);
  }
  if (asking.isClosed && choicesOf(lesson).length < 2) {
    throw new Problem("choices", "Give at least two answers to choose among.");
  }
}
