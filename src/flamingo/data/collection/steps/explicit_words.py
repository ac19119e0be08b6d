"""Pages without explicit words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from flamingo.data.collection.pages import Outcome, Page
from flamingo.data.collection.steps.checks import check_share
from flamingo.data.collection.steps.removing import page_out, percent
from flamingo.data.collection.steps.word_lists import flagged_words, words_in
from flamingo.data.collection.steps.words import bare_words, share_in, text_of


@dataclass(frozen=True)
class ExplicitWords:
    """Takes pages out of whose words too many are flagged as explicit.

    A list of words finds what calls itself by its name, and no more. It is a stand-in for a
    classifier: see `ExplicitText` and `ExplicitImages`.

    Args:
        max_share: of the words of a page.
        words: a file with one word a line; None for a short English list of ours.

    Raises:
        ConfigError: the share is not from 0 to 1, or the file cannot be read.

    Source: the paper drops pages with explicit content by Google's SafeSearch (v1), which is not
    to be had; the share is that of OBELICS.
    """

    name: ClassVar[str] = "explicit-words"
    source: ClassVar[str] = "paper, App. A.3, as OBELICS does it"
    needs_pixels: ClassVar[bool] = False

    max_share: float = 0.01
    words: Path | None = None

    def __post_init__(self) -> None:
        check_share(self.name, max_share=self.max_share)
        if self.words is not None:
            words_in(self.words)

    def __call__(self, page: Page) -> Outcome:
        """The page, or nothing."""
        flagged = flagged_words() if self.words is None else words_in(self.words)
        share = share_in(bare_words(text_of(page)), flagged)
        if share <= self.max_share:
            return Outcome(page)
        return page_out(page, f"{percent(share)} flagged words, at most {percent(self.max_share)}")
