"""How texts of annotation files are written in prompts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def one_line(text: str) -> str:
    """A text without space around it, and with one space where it has more, or a new line."""
    return " ".join(text.split())


def most_common(answers: Sequence[str]) -> str:
    """The answer that most people gave, on one line; of several the one that was given first.

    This is what a support shows. The paper does not say which of the answers it shows.
    """
    return one_line(Counter(answers).most_common(1)[0][0]) if answers else ""
