"""Episodes: looks with texts that follow one pattern, to be read as words or as pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from flamingo.foundation.randomness import generator
from flamingo.miniature.captions import CANONICAL_ORDER, long_caption, noun_phrase, short_caption
from flamingo.miniature.formats import CAPTIONING, NAMING, PECULIAR, Format, choose_format
from flamingo.miniature.looks import (
    Look,
    any_look,
    choose_pairs,
    counted,
    several,
    single,
    single_with,
)
from flamingo.miniature.names import TRAIN_NAMES
from flamingo.miniature.questions import ATTRIBUTES, ask
from flamingo.miniature.scene import Scene, random_clip


@dataclass(frozen=True)
class Turn:
    """One look and what the document says of it."""

    look: Look
    text: str


@dataclass(frozen=True)
class Episode:
    """A document before it is decided whether its looks are pictures or words.

    Args:
        turns: the looks in order, each followed by its text.
        needed: what a description must tell of the looks, so that the texts can be known.
    """

    turns: tuple[Turn, ...]
    needed: frozenset[str] = frozenset()


Builder = Callable[[np.random.Generator, int], Episode]

RULE_FIELDS = ("color", "shape", "size")
"""What a rule may ask for in training; rules on texture and background are held out."""


def caption_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """Captions of one length and one common form."""
    return _captions(rng, num_turns, choose_format(rng, CAPTIONING, random_share=0.0))


def format_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """Captions in a form that only the document itself tells."""
    return _captions(rng, num_turns, choose_format(rng, PECULIAR, random_share=0.5))


def binding_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """Invented names, each bound to a pair of color and shape, or to one of the two."""
    num_names = int(rng.integers(2, 6))
    names = _choose_names(rng, num_names)
    order = rng.integers(num_names, size=num_turns).tolist()
    by = rng.choice(["pair", "color", "shape"], p=[0.6, 0.2, 0.2])
    if by == "pair":
        pairs = choose_pairs(rng, num_names)
        looks = [single(rng, pairs[k]) for k in order]
    else:
        values = rng.permutation(ATTRIBUTES[by])[:num_names].tolist()
        looks = [single_with(rng, by, values[k]) for k in order]
    form = choose_format(rng, NAMING)
    return _episode((look, form.write(names[k])) for look, k in zip(looks, order, strict=True))


def rule_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """One attribute of every look is said, and only the pattern tells which."""
    field = RULE_FIELDS[rng.integers(len(RULE_FIELDS))]
    form = choose_format(rng, NAMING)
    looks = [single(rng) for _ in range(num_turns)]
    return _episode(
        ((look, form.write(getattr(look.things[0], field))) for look in looks), needed={field}
    )


_TOPIC_WEIGHTS = {
    "color": 0.2,
    "shape": 0.2,
    "size": 0.1,
    "texture": 0.1,
    "background": 0.1,
    "count": 0.1,
    "place": 0.1,
    "yes_no": 0.05,
    "motion": 0.05,
}


def question_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """Questions and answers, on one topic or on many."""
    topics = list(_TOPIC_WEIGHTS)
    drawn = rng.choice(topics, size=num_turns, p=list(_TOPIC_WEIGHTS.values())).tolist()
    if rng.random() < 0.5:
        drawn = [drawn[0]] * num_turns
    template, end = _QUESTION_FORMS[rng.integers(len(_QUESTION_FORMS))], _maybe_dot(rng)
    turns = []
    for topic in drawn:
        look = _look_for(rng, topic)
        question, answer = ask(rng, look, topic)
        turns.append((look, template.format(question=question, answer=answer) + end))
    needed = {*drawn} | ({"size", "texture"} if "yes_no" in drawn else set())
    return _episode(turns, needed=needed)


def page_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """A page as the web has them: captions, facts and names that come back, in no one form."""
    num_names = int(rng.integers(1, 4))
    names, pairs = _choose_names(rng, num_names), choose_pairs(rng, num_names)
    turns: list[tuple[Look, str]] = []
    for _ in range(num_turns):
        if rng.random() < 0.6:
            k = int(rng.integers(num_names))
            scene = single(rng, pairs[k])
            turns.append((scene, _fact(rng, scene, names[k])))
        else:
            look = any_look(rng)
            turns.append((look, _sentence(rng, look)))
    return _episode(turns, needed={"size"})


EPISODES: Mapping[str, tuple[Builder, float]] = {
    "binding": (binding_episode, 0.40),
    "rule": (rule_episode, 0.15),
    "format": (format_episode, 0.12),
    "caption": (caption_episode, 0.08),
    "question": (question_episode, 0.17),
    "page": (page_episode, 0.08),
}
"""The kinds of training episodes, each with its share."""


def training_episode(seed: int, index: int, num_turns: int, kind: str | None = None) -> Episode:
    """Episode number `index`: of a given kind, or of a kind drawn by its share."""
    rng = generator("miniature episode", seed, index)
    shares = np.array([share for _, share in EPISODES.values()])
    drawn = kind or list(EPISODES)[rng.choice(len(shares), p=shares / shares.sum())]
    return EPISODES[drawn][0](rng, num_turns)


_QUESTION_FORMS = (
    "Question: {question} Answer: {answer}",
    "Question: {question} Answer: {answer}",
    "Question: {question} Answer: {answer}",
    "{question} {answer}",
    "Question: {question}\nAnswer: {answer}",
    "{question} Answer: {answer}",
)


def _episode(turns: Iterable[tuple[Look, str]], needed: Iterable[str] = ()) -> Episode:
    return Episode(tuple(Turn(look, text) for look, text in turns), frozenset(needed))


def _choose_names(rng: np.random.Generator, num: int) -> list[str]:
    return [TRAIN_NAMES[i] for i in rng.choice(len(TRAIN_NAMES), size=num, replace=False)]


def _maybe_dot(rng: np.random.Generator) -> str:
    return "." if rng.random() < 0.3 else ""


def _look_for(rng: np.random.Generator, topic: str) -> Look:
    """A look on which a question on `topic` makes sense."""
    if topic == "motion":
        return random_clip(rng)
    if topic == "count":
        num = int(rng.integers(1, 5))
        return counted(rng, num) if rng.random() < 0.7 else several(rng, num)
    if topic == "place":
        return several(rng, 2) if rng.random() < 0.6 else single(rng)
    if topic in ("color", "shape", "yes_no") and rng.random() < 0.4:
        return several(rng, 2)
    return single(rng)


def _captions(rng: np.random.Generator, num_turns: int, form: Format) -> Episode:
    draw = rng.random()
    if draw < 0.55:
        looks = [single(rng) if rng.random() < 0.7 else any_look(rng) for _ in range(num_turns)]
        return _episode((look, form.write(short_caption(look))) for look in looks)
    if draw < 0.8:
        looks = [any_look(rng) for _ in range(num_turns)]
        texts = ((look, form.write(long_caption(look))) for look in looks)
        return _episode(texts, needed={"size", "texture", "background", "place"})
    fields = _some_fields(rng)
    scenes: list[Scene] = [single(rng) for _ in range(num_turns)]
    texts = ((scene, form.write(noun_phrase(scene.things[0], fields))) for scene in scenes)
    return _episode(texts, needed=set(fields))


def _some_fields(rng: np.random.Generator) -> list[str]:
    """Two or three attributes in any order, so that order is a form too: "circle red"."""
    return [CANONICAL_ORDER[i] for i in rng.permutation(4)[: rng.integers(2, 4)]]


def _fact(rng: np.random.Generator, scene: Scene, name: str) -> str:
    """A sentence on a scene that shows the look called `name`."""
    thing = scene.things[0]
    facts = (
        f"this is a {name}.",
        f"this is a {name}.",
        f"a {thing.size} {name}.",
        f"the {name} is {thing.color}.",
        f"the {name} is a {thing.shape}.",
        f"a picture of a {name}.",
        f"Question: what is this? Answer: {name}",
        f"it is a {name}, a {noun_phrase(thing)}.",
    )
    return facts[rng.integers(len(facts))]


def _sentence(rng: np.random.Generator, look: Look) -> str:
    if rng.random() < 0.4:
        question, answer = ask(rng, look, "color")
        return f"Question: {question} Answer: {answer}"
    return short_caption(look) + _maybe_dot(rng)
