"""Pages with as much text as is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flamingo.data.collection.pages import Outcome, Page
from flamingo.data.collection.steps.checks import check_least, check_range
from flamingo.data.collection.steps.removing import page_out


@dataclass(frozen=True)
class NumberOfWords:
    """Takes pages out that have too little text, by default none, or too much.

    Args:
        min_words: of the page, between white space.
        max_words: of the page; None for no limit.

    Raises:
        ConfigError: a number is below 0, or nothing could stay.

    Source: OBELICS drops documents that its last cleaning has left without text.
    """

    name: ClassVar[str] = "number-of-words"
    source: ClassVar[str] = "OBELICS"
    needs_pixels: ClassVar[bool] = False

    min_words: int = 1
    max_words: int | None = None

    def __post_init__(self) -> None:
        check_least(self.name, 0, min_words=self.min_words)
        check_range(self.name, "words", self.min_words, self.max_words)

    def __call__(self, page: Page) -> Outcome:
        """The page, or nothing."""
        num_words = page.num_words
        if num_words < self.min_words:
            return page_out(page, f"{num_words} words, at least {self.min_words}")
        if self.max_words is not None and num_words > self.max_words:
            return page_out(page, f"{num_words} words, at most {self.max_words}")
        return Outcome(page)
