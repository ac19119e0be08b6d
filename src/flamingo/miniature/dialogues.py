"""Talk about one picture: several questions in a row, of which the later ones lean on the first."""

from __future__ import annotations

import numpy as np

from flamingo.miniature.scene import SIZES, TEXTURES, Scene, Thing

_TOLD_LATER = ("color", "shape", "size", "texture")


def dialogue(
    rng: np.random.Generator, scene: Scene, num_turns: int = 3
) -> tuple[tuple[str, str], ...]:
    """Questions with their answers: the first names a thing, the others call it "it".

    Args:
        rng: where the randomness comes from.
        scene: two things that differ in color or in shape.
        num_turns: 2 or 3; the last question asks for an attribute.
    """
    thing, other = (scene.things[i] for i in rng.permutation(2))
    by = "shape" if thing.shape != other.shape else "color"
    if rng.random() < 0.5 and thing.color != other.color:
        by = "color"
    left = [field for field in _TOLD_LATER if field != by]
    fields = [left[i] for i in rng.permutation(len(left))]
    turns = [_opening(rng, thing, by, fields)]
    while len(turns) < num_turns:
        is_last = len(turns) == num_turns - 1
        turns.append(_about_it(rng, thing, fields.pop(), may_be_yes_no=not is_last))
    return tuple(turns)


def _opening(rng: np.random.Generator, thing: Thing, by: str, fields: list[str]) -> tuple[str, str]:
    """Names the thing; may ask for one of the fields, which is then not asked again."""
    value = getattr(thing, by)
    noun = value if by == "shape" else f"{value} thing"
    if rng.random() < 0.5:
        return f"is there a {noun}?", "yes"
    field = fields.pop()
    return f"what {field} is the {noun}?", str(getattr(thing, field))


def _about_it(
    rng: np.random.Generator, thing: Thing, field: str, *, may_be_yes_no: bool
) -> tuple[str, str]:
    value = str(getattr(thing, field))
    values = {"size": SIZES, "texture": TEXTURES}.get(field)
    if may_be_yes_no and values and rng.random() < 0.3:
        said = values[rng.integers(len(values))]
        return f"is it {said}?", "yes" if said == value else "no"
    return f"what {field} is it?", value


def as_text(turns: tuple[tuple[str, str], ...]) -> str:
    """Turns one after the other: "Question: is there a star? Answer: yes Question: …"."""
    return " ".join(f"Question: {question} Answer: {answer}" for question, answer in turns)
