"""Which visual each token may look at: the paper's φ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from flamingo.foundation.errors import ConfigError

Sees = Literal["previous", "next"]
"""Whether text looks at the visual before it (the rule) or after it (an augmentation)."""


def visual_index(tag_numbers: Sequence[int], *, sees: Sees = "previous") -> list[int]:
    """Per token, the number of the one visual that it may look at, from 1; 0 for none.

    All tokens of a tag look at the tag's own visual, so φ rises at the first token of a tag.
    Text looks at the last visual before it, or with `sees="next"` at the first visual after it;
    text behind the last visual has no next one and keeps the last.

    Args:
        tag_numbers: per token, k if it belongs to the tag of visual k, else 0.
        sees: which of its two neighbors text looks at.

    Raises:
        ConfigError: `sees` is neither.

    Example:
        >>> visual_index([0, 0, 1, 0, 0, 2, 0])
        [0, 0, 1, 1, 1, 2, 2]
        >>> visual_index([0, 0, 1, 0, 0, 2, 0], sees="next")
        [1, 1, 1, 2, 2, 2, 2]

    Paper: Sec. 2.1, App. A.3.
    """
    _check_sees(sees)
    previous = _carried(tag_numbers)
    if sees == "previous":
        return previous
    following = _carried(tag_numbers[::-1])[::-1]
    return [after or before for after, before in zip(following, previous, strict=True)]


def draw_sees(rng: np.random.Generator, p_next: float) -> Sees:
    """Draws once per page whether its text looks at the next visual; `p_next` is 0.5 in the paper.

    Raises:
        ConfigError: `p_next` is not a probability.
    """
    if not 0.0 <= p_next <= 1.0:
        raise ConfigError(f"p_next={p_next} is not a probability.\nIt must lie between 0 and 1.")
    return "next" if rng.random() < p_next else "previous"


def _check_sees(sees: str) -> None:
    if sees not in ("previous", "next"):
        raise ConfigError(
            f"sees={sees!r} is not a choice.\nText sees the 'previous' or the 'next' visual."
        )


def _carried(tag_numbers: Sequence[int]) -> list[int]:
    """Each number carried on until the next one that is not 0."""
    current = 0
    carried = []
    for number in tag_numbers:
        current = number or current
        carried.append(current)
    return carried
