"""Pages whose text is prose, by the rules of Gopher."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from flamingo.data.collection.pages import Outcome, Page
from flamingo.data.collection.steps.checks import check_least, check_range, check_share
from flamingo.data.collection.steps.removing import page_out, percent
from flamingo.data.collection.steps.words import has_letter, text_of

_BULLETS = ("•", "‣", "◦", "▪", "●", "■", "- ", "* ", "– ")
_ELLIPSES = ("...", "…")


@dataclass(frozen=True)
class TextQuality:
    """Takes pages out whose text is too short or too long, or does not look like prose.

    Words are what stands between white space. A line is a text, or a line of one; an item of a
    list counts as a line with a bullet, as its page shows it. Stop words are counted once each.

    Args:
        min_words: of the page.
        max_words: of the page.
        min_word_length: characters, on average.
        max_word_length: characters, on average.
        max_symbols_per_word: number signs, and likewise ellipses, for each word.
        max_bullet_lines: share of lines that begin with a bullet.
        max_ellipsis_lines: share of lines that end in an ellipsis.
        min_words_with_letters: share of words.
        min_stop_words: so many of the stop words are in the text; 0 for languages that have others.
        stop_words: in small letters.

    Raises:
        ConfigError: a share is not from 0 to 1, a number is below 0, or nothing could stay.

    Source: Gopher (Rae et al., 2021), App. A.1, whose rules the paper's are "similar" to.
    """

    name: ClassVar[str] = "text-quality"
    source: ClassVar[str] = "paper, App. A.3, after Gopher"
    needs_pixels: ClassVar[bool] = False

    min_words: int = 50
    max_words: int = 100_000
    min_word_length: float = 3.0
    max_word_length: float = 10.0
    max_symbols_per_word: float = 0.1
    max_bullet_lines: float = 0.9
    max_ellipsis_lines: float = 0.3
    min_words_with_letters: float = 0.8
    min_stop_words: int = 2
    stop_words: tuple[str, ...] = ("the", "be", "to", "of", "and", "that", "have", "with")

    def __post_init__(self) -> None:
        check_least(
            self.name,
            0,
            min_words=self.min_words,
            min_word_length=self.min_word_length,
            max_symbols_per_word=self.max_symbols_per_word,
            min_stop_words=self.min_stop_words,
        )
        check_range(self.name, "words", self.min_words, self.max_words)
        check_range(self.name, "characters of a word", self.min_word_length, self.max_word_length)
        check_range(self.name, "stop words", self.min_stop_words, len(set(self.stop_words)))
        check_share(
            self.name,
            max_bullet_lines=self.max_bullet_lines,
            max_ellipsis_lines=self.max_ellipsis_lines,
            min_words_with_letters=self.min_words_with_letters,
        )

    def __call__(self, page: Page) -> Outcome:
        """The page, or nothing."""
        text = text_of(page)
        words = text.split()
        reason = next(self._reasons(page, text, words), None)
        return Outcome(page) if reason is None else page_out(page, reason)

    def _reasons(self, page: Page, text: str, words: list[str]) -> Iterator[str]:
        """All there is against the page, what is quick to find first."""
        num_words = len(words)
        if num_words < self.min_words:
            yield f"{num_words} words, at least {self.min_words}"
        if num_words > self.max_words:
            yield f"{num_words} words, at most {self.max_words}"
        if words:
            yield from self._reasons_in_words(text, words)
            yield from self._reasons_in_lines(page)

    def _reasons_in_words(self, text: str, words: list[str]) -> Iterator[str]:
        num_words = len(words)
        length = sum(map(len, words)) / num_words
        if length < self.min_word_length:
            yield f"words of {length:.2f} characters, at least {self.min_word_length:g}"
        if length > self.max_word_length:
            yield f"words of {length:.2f} characters, at most {self.max_word_length:g}"
        signs = {"number signs": ("#",), "ellipses": _ELLIPSES}
        for what, kinds in signs.items():
            per_word = sum(map(text.count, kinds)) / num_words
            if per_word > self.max_symbols_per_word:
                yield f"{per_word:.2f} {what} a word, at most {self.max_symbols_per_word:g}"
        # Words of letters alone are quickly counted, and mostly there are enough of them.
        with_letters = sum(map(str.isalpha, words)) / num_words
        if with_letters < self.min_words_with_letters:
            with_letters = sum(map(has_letter, words)) / num_words
        if with_letters < self.min_words_with_letters:
            limit = percent(self.min_words_with_letters)
            yield f"letters in {percent(with_letters)} of words, at least {limit}"
        num_stop_words = len(set(self.stop_words).intersection(words))
        if num_stop_words < self.min_stop_words:
            num_stop_words = len(set(self.stop_words).intersection(map(str.lower, words)))
        if num_stop_words < self.min_stop_words:
            yield f"{num_stop_words} of the stop words, at least {self.min_stop_words}"

    def _reasons_in_lines(self, page: Page) -> Iterator[str]:
        num_lines = num_bullets = num_ellipses = 0
        for text in page.texts:
            for line in map(str.strip, text.text.splitlines()):
                num_lines += 1
                num_bullets += text.kind == "item" or line.startswith(_BULLETS)
                num_ellipses += line.endswith(_ELLIPSES)
        if num_bullets > self.max_bullet_lines * num_lines:
            share, limit = percent(num_bullets / num_lines), percent(self.max_bullet_lines)
            yield f"bullets on {share} of lines, at most {limit}"
        if num_ellipses > self.max_ellipsis_lines * num_lines:
            share, limit = percent(num_ellipses / num_lines), percent(self.max_ellipsis_lines)
            yield f"ellipses after {share} of lines, at most {limit}"
