"""Other orders of the same shots, and other words for the same question."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import permutations

from flamingo.foundation.errors import ConfigError
from flamingo.foundation.randomness import generator
from flamingo.prompting import CAPTION, QUESTION_ANSWER, Template

TEMPLATE_VARIANTS: Mapping[str, tuple[Template, ...]] = {
    "caption": (
        CAPTION,
        Template("Caption:", "output"),
        Template("Description:", "output"),
        Template("What is seen here:", "output"),
        Template("In one sentence:", "output"),
    ),
    "question-answer": (
        QUESTION_ANSWER,
        Template("Q: {question} A:", "answer"),
        Template("{question} Answer:", "answer"),
        Template("Question: {question} Short answer:", "answer"),
        Template("Question: {question} The answer is:", "answer"),
    ),
}
"""By name of the paper's template: that one first, then rewordings with the same fields."""


def order_variants(num_shots: int, num_variants: int, seed: int) -> list[tuple[int, ...]]:
    """Different orders of the shots, always the same ones for the same arguments.

    The first is the order as it is. If there are no more than `num_variants`, all are given.

    Args:
        num_shots: how many shots are ordered.
        num_variants: how many orders are wanted.
        seed: of the others than the first.

    Raises:
        ConfigError: no order is wanted, or the number of shots is negative.
    """
    if num_shots < 0 or num_variants < 1:
        raise ConfigError(
            f"There are no {num_variants} orders of {num_shots} shots.\n"
            "Ask for at least one order, of 0 shots or more."
        )
    if math.factorial(num_shots) <= num_variants:
        return list(permutations(range(num_shots)))
    rng = generator("order variants", seed, num_shots)
    # As keys: each order once, in the order of their first draw.
    found = {tuple(range(num_shots)): None}
    while len(found) < num_variants:
        found[tuple(int(place) for place in rng.permutation(num_shots))] = None
    return list(found)
