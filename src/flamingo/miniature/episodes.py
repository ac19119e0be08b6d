"""Builders of episodes: looks with texts that follow one pattern."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from flamingo.miniature.captions import (
    CANONICAL_ORDER,
    attribute,
    long_caption,
    noun_phrase,
    short_caption,
)
from flamingo.miniature.claims import CLAIM, claim
from flamingo.miniature.dialogues import as_text, dialogue
from flamingo.miniature.episode import Episode
from flamingo.miniature.formats import CAPTIONING, NAMING, PECULIAR, Format, choose_format
from flamingo.miniature.looks import (
    PAIRS,
    Character,
    Describable,
    Look,
    OfSeveral,
    any_clip,
    any_look,
    any_sign,
    choose_pairs,
    counted,
    interchangeable,
    several,
    single,
    single_with,
)
from flamingo.miniature.names import TRAIN_NAMES
from flamingo.miniature.questions import ATTRIBUTES, ask
from flamingo.miniature.scene import Scene, random_clip
from flamingo.miniature.vocabulary import MOTION_PHRASES

RULE_FIELDS = ("color", "shape", "size", "place", "count")
"""What a rule may ask for in training; rules on texture and background are held out."""

NUM_ALPHABETS = 10_000
"""Invented alphabets that training may use."""

CHARACTERS_PER_ALPHABET = 16


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
    return Episode.of((look, form.write(names[k])) for look, k in zip(looks, order, strict=True))


def character_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """Invented names for characters of one invented alphabet; only pictures can show them."""
    num_names = int(rng.integers(2, 6))
    names, form = _choose_names(rng, num_names), choose_format(rng, NAMING)
    alphabet = int(rng.integers(NUM_ALPHABETS))
    characters = rng.permutation(CHARACTERS_PER_ALPHABET)[:num_names].tolist()
    return Episode.of(
        (Character(alphabet, characters[k]), form.write(names[k]))
        for k in rng.integers(num_names, size=num_turns).tolist()
    )


def rule_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """One attribute of every look is said, and only the pattern tells which."""
    field = RULE_FIELDS[rng.integers(len(RULE_FIELDS))]
    form = choose_format(rng, NAMING)
    is_counted = field == "count" or (field in ("color", "shape") and rng.random() < 0.25)
    looks = [
        counted(rng, int(rng.integers(1, 5))) if is_counted else single(rng)
        for _ in range(num_turns)
    ]
    return Episode.of(
        ((look, form.write(attribute(look, field))) for look in looks), needed={field}
    )


def card_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """Several attributes of every look, each behind its name: "shape: star, background: gray"."""
    fields = _two_to_four(rng)
    sign, between = (": ", " is ", " = ")[rng.integers(3)], (", ", "; ", "\n")[rng.integers(3)]
    named = {field: f"{field}{sign}" for field in fields}
    return _attributes(rng, num_turns, named, Format(), between)


def listing_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """Several attributes of every look without their names: "gray, star".

    Only what was listed before tells which come, and in which order. So each of them comes where
    an answer does; never alone, which would be a rule.
    """
    unnamed = dict.fromkeys(_two_to_four(rng), "")
    between = (" ", ", ", ", ", "; ", " / ")[rng.integers(5)]
    return _attributes(rng, num_turns, unnamed, choose_format(rng, NAMING), between)


def _two_to_four(rng: np.random.Generator) -> list[str]:
    known = (*CANONICAL_ORDER, "background")
    return [known[i] for i in rng.permutation(len(known))[: rng.integers(2, 5)]]


def _attributes(
    rng: np.random.Generator, num_turns: int, before: Mapping[str, str], form: Format, between: str
) -> Episode:
    """The attributes that are keys of `before`, in their order, each behind its text there."""
    turns = []
    for _ in range(num_turns):
        scene = single(rng)
        text = between.join(f"{words}{attribute(scene, field)}" for field, words in before.items())
        turns.append((scene, form.write(text)))
    return Episode.of(turns, needed=set(before))


_TOPIC_WEIGHTS = {
    "color": 0.2,
    "shape": 0.2,
    "size": 0.1,
    "texture": 0.1,
    "background": 0.1,
    "count": 0.12,
    "place": 0.1,
    "yes_no": 0.05,
}


def question_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """Questions and answers, on one topic or on many, of pictures that have to be looked at."""
    return _questions(rng, num_turns, _TOPIC_WEIGHTS, interchangeable)


def worded_question_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """The same, now and then on a motion or on a sign, about which no picture is ever asked."""
    return _questions(rng, num_turns, {**_TOPIC_WEIGHTS, "motion": 0.06, "sign": 0.06}, several)


def _questions(
    rng: np.random.Generator, num_turns: int, weights: Mapping[str, float], of_several: OfSeveral
) -> Episode:
    shares = np.array(list(weights.values()))
    drawn = rng.choice(list(weights), size=num_turns, p=shares / shares.sum()).tolist()
    if rng.random() < 0.5:
        drawn = [drawn[0]] * num_turns
    form = _question_form(rng)
    turns = []
    for topic in drawn:
        look = _look_for(rng, topic, of_several)
        question, answer = ask(rng, look, topic)
        turns.append((look, form.format(question=question, answer=answer)))
    needed = {*drawn} | ({"size", "texture"} if "yes_no" in drawn else set())
    return Episode.of(turns, needed=needed)


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
    return Episode.of(turns, needed={"size"})


def dialogue_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """Several questions on each look."""
    turns = []
    for _ in range(num_turns):
        scene = several(rng, 2)
        turns.append((scene, as_text(dialogue(rng, scene, int(rng.integers(2, 4))))))
    return Episode.of(turns, needed={"size", "texture"})


def claim_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """Captions that are true of their look or not."""
    claims = [claim(rng, PAIRS["train"]) for _ in range(num_turns)]
    return Episode.of(
        (one.scene, CLAIM.support(text=one.text, answer=one.answer)) for one in claims
    )


def clip_episode(rng: np.random.Generator, num_turns: int) -> Episode:
    """Captions of clips, all in one form; or nothing but the motion of each."""
    draw = rng.random()
    if draw < 0.25:
        form = choose_format(rng, NAMING)
        clips = [random_clip(rng) for _ in range(num_turns)]
        return Episode.of((clip, form.write(MOTION_PHRASES[clip.motion])) for clip in clips)
    known = CAPTIONING if rng.random() < 0.6 else PECULIAR
    form, write = choose_format(rng, known), short_caption if draw < 0.8 else long_caption
    looks = [any_clip(rng) for _ in range(num_turns)]
    return Episode.of(
        ((look, form.write(write(look))) for look in looks),
        needed=() if write is short_caption else {"size", "texture", "background"},
    )


def written_question(rng: np.random.Generator, question: str, answer: str) -> str:
    """A question and its answer in one of their forms."""
    return _question_form(rng).format(question=question, answer=answer)


_QUESTION_FORMS = (
    "Question: {question} Answer: {answer}",
    "Question: {question} Answer: {answer}",
    "Question: {question} Answer: {answer}",
    "{question} {answer}",
    "Question: {question}\nAnswer: {answer}",
    "{question} Answer: {answer}",
)


def _choose_names(rng: np.random.Generator, num: int) -> list[str]:
    return [TRAIN_NAMES[i] for i in rng.choice(len(TRAIN_NAMES), size=num, replace=False)]


def _question_form(rng: np.random.Generator) -> str:
    return _QUESTION_FORMS[rng.integers(len(_QUESTION_FORMS))] + _maybe_dot(rng)


def _maybe_dot(rng: np.random.Generator) -> str:
    return "." if rng.random() < 0.3 else ""


def _look_for(rng: np.random.Generator, topic: str, of_several: OfSeveral) -> Describable:
    """A look on which a question on `topic` makes sense."""
    if topic == "motion":
        return random_clip(rng)
    if topic == "sign":
        return any_sign(rng)
    if topic == "count":
        num = int(rng.integers(1, 5))
        return counted(rng, num) if rng.random() < 0.7 else of_several(rng, num)
    if topic == "place":
        return of_several(rng, 2) if rng.random() < 0.6 else single(rng)
    if topic in ("color", "shape", "yes_no") and rng.random() < 0.6:
        return of_several(rng, 2)
    return single(rng)


def _captions(rng: np.random.Generator, num_turns: int, form: Format) -> Episode:
    draw = rng.random()
    if draw < 0.55:
        looks = [single(rng) if rng.random() < 0.7 else any_look(rng) for _ in range(num_turns)]
        return Episode.of((look, form.write(short_caption(look))) for look in looks)
    if draw < 0.8:
        looks = [any_look(rng) for _ in range(num_turns)]
        texts = ((look, form.write(long_caption(look))) for look in looks)
        return Episode.of(texts, needed={"size", "texture", "background", "place"})
    fields = _some_fields(rng)
    scenes: list[Scene] = [single(rng) for _ in range(num_turns)]
    texts = ((scene, form.write(noun_phrase(scene.things[0], fields))) for scene in scenes)
    return Episode.of(texts, needed=set(fields))


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


def _sentence(rng: np.random.Generator, look: Describable) -> str:
    if rng.random() < 0.4 and isinstance(look, Scene):
        question, answer = ask(rng, look, "color")
        return f"Question: {question} Answer: {answer}"
    return short_caption(look) + _maybe_dot(rng)
