"""Questions about a look, with their answers."""

from __future__ import annotations

import numpy as np

from flamingo.miniature.captions import is_counted, noun_phrase, number_word, relation
from flamingo.miniature.looks import PAIRS, Look, scene_of
from flamingo.miniature.scene import (
    COLORS,
    SHAPES,
    SIZES,
    TEXTURES,
    Clip,
    Scene,
    Thing,
)
from flamingo.miniature.signs import Sign
from flamingo.miniature.vocabulary import MOTION_PHRASES, PLURALS

TOPICS = (
    *("color", "shape", "size", "texture", "background", "count", "place", "yes_no", "motion"),
    "sign",
)
"""What can be asked. "place" and "count" want several things, "motion" a clip, "sign" a sign."""

ATTRIBUTES = {"color": COLORS, "shape": SHAPES, "size": SIZES, "texture": TEXTURES}


def ask(rng: np.random.Generator, look: Look, topic: str) -> tuple[str, str]:
    """A question on `topic` and what the look answers: ("what color is it?", "red")."""
    if isinstance(look, Sign):
        return _one_of(rng, ("what does it say?", "what does the sign say?")), look.text
    scene = scene_of(look)
    if topic == "motion" and isinstance(look, Clip):
        return f"what does the {_one_of(rng, ('thing', scene.things[0].shape))} do?", (
            MOTION_PHRASES[look.motion]
        )
    if topic == "background":
        return _one_of(rng, ("what is the background?", "what color is the background?")), (
            scene.background
        )
    if topic == "count":
        return _ask_count(rng, scene)
    if topic == "place":
        return _ask_place(rng, scene)
    if topic == "yes_no":
        return _ask_yes_no(rng, scene)
    return _ask_attribute(rng, scene, topic)


def attribute_question(scene: Scene, thing: Thing, topic: str) -> str:
    """Asks for one attribute of one thing, which it names in a way that fits no other thing."""
    return f"what {topic} is {_refer(scene, thing, without=topic)}?"


def _ask_attribute(rng: np.random.Generator, scene: Scene, topic: str) -> tuple[str, str]:
    thing = scene.things[rng.integers(len(scene.things))]
    answer = str(getattr(thing, topic))
    if len(scene.things) == 1 and rng.random() < 0.3:
        return f"what {topic} is {_one_of(rng, ('this', 'it', 'the thing'))}?", answer
    return attribute_question(scene, thing, topic), answer


def _refer(scene: Scene, thing: Thing, *, without: str) -> str:
    """The shortest name of a thing that fits it alone and does not give `without` away."""
    others = [other for other in scene.things if other is not thing]
    if without != "shape":
        if all(other.shape != thing.shape for other in others):
            return f"the {thing.shape}"
        if without != "color":
            return f"the {noun_phrase(thing)}"
    if without == "shape" and all(other.color != thing.color for other in others):
        return f"the {thing.color} thing"
    return f"the {_position_among(thing, others)} thing"


def _position_among(thing: Thing, others: list[Thing]) -> str:
    """A word for the side on which a thing stands alone."""
    if all(thing.x <= other.x for other in others):
        return "left"
    if all(thing.x >= other.x for other in others):
        return "right"
    return "top" if all(thing.y <= other.y for other in others) else "middle"


def _ask_count(rng: np.random.Generator, scene: Scene) -> tuple[str, str]:
    shape = scene.things[rng.integers(len(scene.things))].shape
    if is_counted(scene) and rng.random() < 0.5:
        return f"how many {PLURALS[shape]} are there?", number_word(len(scene.things))
    return "how many things are there?", number_word(len(scene.things))


def _ask_place(rng: np.random.Generator, scene: Scene) -> tuple[str, str]:
    if len(scene.things) != 2 or is_counted(scene):
        thing = scene.things[0]
        return f"where is {_refer(scene, thing, without='place')}?", thing.place
    first, second = (scene.things[i] for i in rng.permutation(2))
    return f"what is {relation(first, second)} the {noun_phrase(second)}?", noun_phrase(first)


def _ask_yes_no(rng: np.random.Generator, scene: Scene) -> tuple[str, str]:
    thing = scene.things[rng.integers(len(scene.things))]
    is_true = rng.random() < 0.5
    if len(scene.things) == 1 and rng.random() < 0.5:
        field = _one_of(rng, tuple(ATTRIBUTES))
        options = ATTRIBUTES[field]
        value = getattr(thing, field)
        said = value if is_true else _other_than(rng, options, value)
        noun = thing.shape if field != "shape" else "thing"
        question = f"is the {noun} {said}?" if field != "shape" else f"is this a {said}?"
        return question, "yes" if is_true else "no"
    if is_true:
        return f"is there a {noun_phrase(thing)}?", "yes"
    present = {(other.color, other.shape) for other in scene.things}
    absent = [pair for pair in PAIRS["train"] if pair not in present]
    return f"is there a {' '.join(absent[rng.integers(len(absent))])}?", "no"


def _other_than(rng: np.random.Generator, options: tuple[str, ...], value: str) -> str:
    others = tuple(option for option in options if option != value)
    return others[rng.integers(len(others))]


def _one_of(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[rng.integers(len(options))]
