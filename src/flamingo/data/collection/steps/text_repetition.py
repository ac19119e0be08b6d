"""Pages that do not say the same again and again, by the rules of Gopher."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from flamingo.data.collection.pages import Outcome, Page
from flamingo.data.collection.steps.checks import check_share
from flamingo.data.collection.steps.ngrams import later_shares, repeated_grams
from flamingo.data.collection.steps.removing import page_out, percent
from flamingo.data.collection.steps.words import text_of
from flamingo.foundation.errors import ConfigError


@dataclass(frozen=True)
class TextRepetition:
    """Takes pages out that repeat themselves.

    Each text of a page is a paragraph. Lines are parts of texts, where a text has several; where
    none has, the rules for lines and for paragraphs are one. What repeats is the second and each
    later occurrence. Characters that several occurrences share count once, and white space between
    words does not count. A limit of 1 turns a rule off.

    Args:
        max_duplicate_lines: share of lines that were there before.
        max_duplicate_paragraphs: share of texts that were there before.
        max_duplicate_line_characters: their share of characters.
        max_duplicate_paragraph_characters: their share of characters.
        max_top_grams: share of characters in the most frequent 2-gram, 3-gram, 4-gram of words.
        max_duplicate_grams: share of characters in 5-grams, 6-grams, …, 10-grams of words that
            were there before.

    Raises:
        ConfigError: a share is not from 0 to 1, or there are more or fewer than 3 and 6 of them.

    Source: Gopher (Rae et al., 2021), Table A1, whose rules the paper's are "similar" to. Gopher
    does not say whether first occurrences count; here they do not, as in datatrove, except that
    all occurrences of the most frequent n-gram count, as in datatrove.
    """

    name: ClassVar[str] = "text-repetition"
    source: ClassVar[str] = "paper, App. A.3, after Gopher"
    needs_pixels: ClassVar[bool] = False

    max_duplicate_lines: float = 0.30
    max_duplicate_paragraphs: float = 0.30
    max_duplicate_line_characters: float = 0.20
    max_duplicate_paragraph_characters: float = 0.20
    max_top_grams: tuple[float, ...] = (0.20, 0.18, 0.16)
    max_duplicate_grams: tuple[float, ...] = (0.15, 0.14, 0.13, 0.12, 0.11, 0.10)

    def __post_init__(self) -> None:
        check_share(
            self.name,
            max_duplicate_lines=self.max_duplicate_lines,
            max_duplicate_paragraphs=self.max_duplicate_paragraphs,
            max_duplicate_line_characters=self.max_duplicate_line_characters,
            max_duplicate_paragraph_characters=self.max_duplicate_paragraph_characters,
        )
        for what, limits, num in (
            ("max_top_grams", self.max_top_grams, 3),
            ("max_duplicate_grams", self.max_duplicate_grams, 6),
        ):
            if len(limits) != num:
                raise ConfigError(f"{self.name}: {what} needs {num} shares, not {len(limits)}.")
            for limit in limits:
                check_share(self.name, **{what: limit})

    def __call__(self, page: Page) -> Outcome:
        """The page, or nothing."""
        reason = next(self._reasons(page), None)
        return Outcome(page) if reason is None else page_out(page, reason)

    def _reasons(self, page: Page) -> Iterator[str]:
        """All there is against the page, what is quick to find first."""
        paragraphs = [text.text for text in page.texts]
        lines = [line for text in paragraphs for line in text.splitlines()]
        paragraph_share, paragraph_characters = later_shares(paragraphs)
        line_share, line_characters = later_shares(lines)
        for share, what, limit in (
            (paragraph_share, "of paragraphs", self.max_duplicate_paragraphs),
            (
                paragraph_characters,
                "of characters, in paragraphs",
                self.max_duplicate_paragraph_characters,
            ),
            (line_share, "of lines", self.max_duplicate_lines),
            (line_characters, "of characters, in lines", self.max_duplicate_line_characters),
        ):
            if share > limit:
                yield f"{percent(share)} {what} that were there before, at most {percent(limit)}"
        yield from self._reasons_in_grams(text_of(page).split())

    def _reasons_in_grams(self, words: list[str]) -> Iterator[str]:
        tops = dict(enumerate(self.max_top_grams, start=2))
        duplicates = dict(enumerate(self.max_duplicate_grams, start=5))
        for repeated in repeated_grams(words, 10):
            n = repeated.n
            if n in tops and (share := repeated.top_share) > tops[n]:
                limit = percent(tops[n])
                yield f"{percent(share)} of characters in the top {n}-gram, at most {limit}"
            if n not in duplicates:
                continue
            share = repeated.later_share
            if share > duplicates[n]:
                limit = percent(duplicates[n])
                yield f"{percent(share)} of characters in duplicate {n}-grams, at most {limit}"
            # What is in a longer one that was there before is in a shorter one: shares only fall.
            if share <= min(self.max_duplicate_grams[n - 5 :]):
                return
