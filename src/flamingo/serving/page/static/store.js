// What is taught and asked: the one place that holds it, and tells when it changes.

let nextId = 1;

/** A lesson with nothing in it. */
export function emptyLesson() {
  return {
    mode: "caption",
    question: "",
    pattern: "",
    supports: [],
    query: { visual: null, question: "" },
    asking: { isClosed: false, choices: null, maxTokens: 20, numBeams: 1, numFrames: 8, explains: true },
  };
}

/** A support card, which has a name of its own as long as the page is open. */
export function supportOf(visual, said = "", question = "") {
  return { id: `card-${nextId++}`, visual, said, question };
}

/** The different things that the cards say, in their order. */
export function thingsSaid(lesson) {
  return [...new Set(lesson.supports.map((one) => one.said.trim()).filter(Boolean))];
}

/** What one chooses among: of one's own making, or what the cards say. */
export function choicesOf(lesson) {
  return lesson.asking.choices ?? thingsSaid(lesson);
}

/** Holds a lesson; sends "change" with what has changed: "supports", "query", "asking", "said". */
export class Store extends EventTarget {
  lesson = emptyLesson();

  /** Changes the lesson in place. */
  change(what, how) {
    how(this.lesson);
    this.#tell(what);
  }

  /** Puts another lesson in its place. */
  replace(lesson) {
    const empty = emptyLesson();
    this.lesson = {
      ...empty,
      ...lesson,
      query: { ...empty.query, ...lesson.query },
      asking: { ...empty.asking, ...lesson.asking },
      // Cards that were kept have ids of another time.
      supports: (lesson.supports ?? []).map((one) => supportOf(one.visual, one.said, one.question)),
    };
    this.#tell("all");
  }

  /** Puts a support at another place; returns where it then is. */
  move(id, to) {
    const { supports } = this.lesson;
    const from = supports.findIndex((one) => one.id === id);
    const target = Math.min(supports.length - 1, Math.max(0, to));
    if (from < 0 || from === target) return from;
    this.change("supports", () => supports.splice(target, 0, ...supports.splice(from, 1)));
    return target;
  }

  /** Calls `listener` with the lesson after changes of these kinds. */
  on(kinds, listener) {
    this.addEventListener("change", ({ detail }) => {
      if (detail === "all" || kinds.includes(detail)) listener(this.lesson, detail);
    });
  }

  #tell(what) {
    this.dispatchEvent(new CustomEvent("change", { detail: what }));
  }
}
