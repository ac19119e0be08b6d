"""What to say of a look: noun phrases, short and long captions, where things stand."""

from __future__ import annotations

from collections.abc import Sequence

from flamingo.miniature.looks import Describable, scene_of
from flamingo.miniature.scene import Clip, Scene, Succession, Thing
from flamingo.miniature.signs import Sign
from flamingo.miniature.vocabulary import MOTION_PHRASES, NUMBER_WORDS, PLURALS

CANONICAL_ORDER = ("size", "texture", "color", "shape")


def noun_phrase(thing: Thing, fields: Sequence[str] = ("color", "shape")) -> str:
    """A thing's attributes in the order of `fields`: "small striped red circle"."""
    return " ".join(str(getattr(thing, field)) for field in fields)


def number_word(count: int) -> str:
    """1 is "one"."""
    return NUMBER_WORDS[count - 1]


def attribute(scene: Scene, field: str) -> str:
    """One attribute as a word: of the scene "count" or "background", else of its first thing."""
    if field == "count":
        return number_word(len(scene.things))
    return scene.background if field == "background" else str(getattr(scene.things[0], field))


def is_counted(scene: Scene) -> bool:
    """True where several things share one color and one shape, so that they are counted."""
    return len(scene.things) > 1 and len({(t.color, t.shape) for t in scene.things}) == 1


def relation(first: Thing, second: Thing) -> str:
    """Where the first thing stands, seen from the second."""
    dx, dy = first.x - second.x, first.y - second.y
    if abs(dx) >= abs(dy):
        return "left of" if dx < 0 else "right of"
    return "above" if dy < 0 else "below"


def enumerate_things(
    scene: Scene, fields: Sequence[str], *, article: str = "a ", with_relation: bool = False
) -> str:
    """All things of a scene in one phrase: "a red circle and a blue star", "two red circles"."""
    first = scene.things[0]
    if is_counted(scene):
        plural = " ".join(
            PLURALS[first.shape] if field == "shape" else str(getattr(first, field))
            for field in fields
            if field in ("color", "shape")
        )
        return f"{number_word(len(scene.things))} {plural}"
    phrases = [article + noun_phrase(thing, fields) for thing in scene.things]
    if with_relation and len(phrases) == 2:
        return f"{phrases[0]} {relation(*scene.things)} {phrases[1]}"
    return " and ".join(phrases)


def succession_caption(succession: Succession, fields: Sequence[str] = ("color", "shape")) -> str:
    """What comes after what: "the red circle turns blue", "a red circle then a blue star"."""
    first, second = succession.first, succession.second
    if succession.changed == "color":
        return f"the {noun_phrase(first, fields)} turns {second.color}"
    if succession.changed == "shape":
        return f"the {noun_phrase(first, fields)} turns into a {second.shape}"
    return f"a {noun_phrase(first, fields)} then a {noun_phrase(second, fields)}"


def short_caption(look: Describable) -> str:
    """The fewest words that tell what is there: "red circle", "the red circle moves left"."""
    if isinstance(look, Sign):
        return f"sign that says {look.text}"
    if isinstance(look, Succession):
        return succession_caption(look)
    scene = scene_of(look)
    if isinstance(look, Clip):
        return f"the {noun_phrase(scene.things[0])} {MOTION_PHRASES[look.motion]}"
    article = "a " if len(scene.things) > 1 else ""
    return enumerate_things(scene, ("color", "shape"), article=article)


def long_caption(look: Describable) -> str:
    """Everything but the place of a lone thing: "a large dotted red circle on gray"."""
    if isinstance(look, Sign):
        return f"a sign that says {look.text}"
    if isinstance(look, Succession):
        return f"{succession_caption(look, CANONICAL_ORDER)} on {look.background}"
    scene = scene_of(look)
    if isinstance(look, Clip):
        phrase = f"the {noun_phrase(scene.things[0], CANONICAL_ORDER)}"
        return f"{phrase} {MOTION_PHRASES[look.motion]} on {scene.background}"
    is_alone = len(scene.things) == 1
    fields = CANONICAL_ORDER if is_alone else ("color", "shape")
    return f"{enumerate_things(scene, fields, with_relation=True)} on {scene.background}"
