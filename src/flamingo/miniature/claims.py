"""Claims about a picture that are true or not, which neither picture nor claim tells alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from flamingo.miniature.looks import Pair, single
from flamingo.miniature.scene import Scene
from flamingo.prompting.templates import Template

CLAIM = Template("caption: {text}. Question: is it true? Answer:", "answer")
"""Modeled on the paper's prompt for HatefulMemes, where a picture comes with its words."""


@dataclass(frozen=True)
class Claim:
    """A picture of one thing, and a caption that may be another one's.

    Attributes:
        scene: what is shown.
        text: color and shape, one of them wrong where the claim is not true.
        answer: "yes" or "no".
    """

    scene: Scene
    text: str
    answer: str


def claim(rng: np.random.Generator, pairs: Collection[Pair]) -> Claim:
    """A claim that is true half of the time.

    What is said and what is shown are drawn alike, and a wrong pair has one thing right.

    Args:
        rng: where the randomness comes from.
        pairs: what may be shown and said; each color and each shape is in at least two of them.
    """
    known = list(pairs)
    shown = known[rng.integers(len(known))]
    said, is_true = shown, rng.random() < 0.5
    if not is_true:
        near = [p for p in known if (p[0] == shown[0]) != (p[1] == shown[1])]
        said = near[rng.integers(len(near))]
    return Claim(single(rng, shown), " ".join(said), "yes" if is_true else "no")
