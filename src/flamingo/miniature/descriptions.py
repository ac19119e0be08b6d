"""Looks as words, for the language model's pretraining, where no picture can be shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from flamingo.miniature.captions import CANONICAL_ORDER, enumerate_things, succession_caption
from flamingo.miniature.looks import Describable, scene_of
from flamingo.miniature.scene import Clip, Succession
from flamingo.miniature.signs import Sign
from flamingo.miniature.vocabulary import MOTION_PHRASES


@dataclass(frozen=True)
class DescriptionStyle:
    """How one document writes its looks down: which attributes, in which order.

    Args:
        fields: attributes of things, in the order they are said.
        article: what stands before each thing, "a " or nothing.
        has_background: whether "on gray" follows.
        has_place: whether a lone thing's place, or the relation of two things, is told.
        is_background_first: whether the background is told before the things.
    """

    fields: tuple[str, ...]
    article: str
    has_background: bool
    has_place: bool
    is_background_first: bool = False


def plain_style(needed: Collection[str] = ()) -> DescriptionStyle:
    """Color and shape, what is `needed`, and nothing else: "red circle"."""
    told = {"color", "shape", *needed}
    return DescriptionStyle(
        fields=tuple(field for field in CANONICAL_ORDER if field in told),
        article="",
        has_background="background" in told,
        has_place="place" in told,
    )


def random_style(rng: np.random.Generator, needed: Collection[str] = ()) -> DescriptionStyle:
    """A style that tells at least the `needed` fields, often little more, sometimes all."""
    completeness = rng.choice([0.0, 0.5, 1.0], p=[0.6, 0.25, 0.15])
    told = {"color", "shape", *needed}
    told |= {
        field for field in ("size", "texture", "background", "place") if rng.random() < completeness
    }
    fields = [field for field in CANONICAL_ORDER if field in told]
    if rng.random() < 0.25:
        rng.shuffle(fields)
    return DescriptionStyle(
        fields=tuple(fields),
        article="a " if rng.random() < 0.4 else "",
        has_background="background" in told,
        has_place="place" in told,
        is_background_first=rng.random() < 0.3,
    )


def describe(look: Describable, style: DescriptionStyle) -> str:
    """A look as words in the given style: "a small striped red circle on white"."""
    if isinstance(look, Sign):
        return f"{style.article}sign that says {look.text}"
    if isinstance(look, Succession):
        return _with_background(succession_caption(look, style.fields), look.background, style)
    scene = scene_of(look)
    words = enumerate_things(
        scene, style.fields, article=style.article, with_relation=style.has_place
    )
    if isinstance(look, Clip):
        words += f" {MOTION_PHRASES[look.motion]}"
    elif style.has_place and len(scene.things) == 1:
        words += f" at {scene.things[0].place}"
    return _with_background(words, scene.background, style)


def _with_background(words: str, background: str, style: DescriptionStyle) -> str:
    if not style.has_background:
        return words
    return f"on {background} {words}" if style.is_background_first else f"{words} on {background}"
