"""Paragraphs and documents that read like text, by the rules of OBELICS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from flamingo.data.collection.pages import Outcome, Page, TextKind, TextNode
from flamingo.data.collection.steps.checks import check_least, check_range, check_share
from flamingo.data.collection.steps.ngrams import character_repetition, word_repetition
from flamingo.data.collection.steps.removing import page_out, percent, without_texts
from flamingo.data.collection.steps.stop_words import ENGLISH_STOP_WORDS
from flamingo.data.collection.steps.word_lists import flagged_words, words_in
from flamingo.data.collection.steps.words import (
    bare_words,
    punctuation_share,
    share_in,
    special_share,
    text_of,
)

_NUM_CHARACTERS, _NUM_WORDS = 10, 5
"""Of the n-grams that are looked for."""


@dataclass(frozen=True)
class TextRules:
    """What a text must be like: rules that paragraphs and documents share, with other limits.

    Words are in small letters, without the digits and signs around them. The lists of words are
    for English; for other languages give files, one word a line, or turn the rule off.

    Args:
        min_words: of the text.
        max_words: of the text.
        max_character_repetition: share of the most frequent 10-grams of characters.
        max_word_repetition: share of 5-grams of words that stand there more than once.
        max_special_characters: share of characters that are no letters; white space is special.
        min_stop_words: share of words; 0 turns the rule off.
        max_flagged_words: share of words; 1 turns the rule off.
        min_punctuation: share of marks among words and marks; 0 turns the rule off.
        punctuation_from: words and marks; a shorter text needs no mark.
        min_common_words: share of words, where there is a file of them.
        stop_words: a file; None for our list.
        flagged_words: a file; None for our list.
        common_words: a file. OBELICS has a list; there is none here, and None turns the rule off.

    Raises:
        ConfigError: a share is not from 0 to 1, nothing could stay, or a file cannot be read.
    """

    name: ClassVar[str] = "text-rules"
    source: ClassVar[str] = "OBELICS"
    needs_pixels: ClassVar[bool] = False

    min_words: int = 0
    max_words: int = 100_000
    max_character_repetition: float = 1.0
    max_word_repetition: float = 1.0
    max_special_characters: float = 1.0
    min_stop_words: float = 0.0
    max_flagged_words: float = 1.0
    min_punctuation: float = 0.0
    punctuation_from: int = 1
    min_common_words: float = 0.0
    stop_words: Path | None = None
    flagged_words: Path | None = None
    common_words: Path | None = None

    def __post_init__(self) -> None:
        check_least(self.name, 0, min_words=self.min_words, punctuation_from=self.punctuation_from)
        check_range(self.name, "words", self.min_words, self.max_words)
        check_share(
            self.name,
            max_character_repetition=self.max_character_repetition,
            max_word_repetition=self.max_word_repetition,
            max_special_characters=self.max_special_characters,
            min_stop_words=self.min_stop_words,
            max_flagged_words=self.max_flagged_words,
            min_punctuation=self.min_punctuation,
            min_common_words=self.min_common_words,
        )
        for path in (self.stop_words, self.flagged_words, self.common_words):
            if path is not None:
                words_in(path)

    def reason_against(self, text: str) -> str | None:
        """Why the text has to go; None if it may stay."""
        return next(self._reasons(text), None)

    def _reasons(self, text: str) -> Iterator[str]:
        """All there is against a text, what is quick to find first."""
        words = bare_words(text)
        if len(words) < self.min_words:
            yield f"{len(words)} words, at least {self.min_words}"
        if len(words) > self.max_words:
            yield f"{len(words)} words, at most {self.max_words}"
        yield from self._reasons_in_shares(text, words)
        repetition = word_repetition(words, _NUM_WORDS)
        if repetition > self.max_word_repetition:
            limit = percent(self.max_word_repetition)
            yield f"{percent(repetition)} repetition of words, at most {limit}"
        repetition = character_repetition(text, _NUM_CHARACTERS)
        if repetition > self.max_character_repetition:
            limit = percent(self.max_character_repetition)
            yield f"{percent(repetition)} repetition of characters, at most {limit}"

    def _reasons_in_shares(self, text: str, words: list[str]) -> Iterator[str]:
        special = special_share(text)
        if special > self.max_special_characters:
            limit = percent(self.max_special_characters)
            yield f"{percent(special)} special characters, at most {limit}"
        stop = share_in(words, self._list(self.stop_words, ENGLISH_STOP_WORDS))
        if stop < self.min_stop_words:
            yield f"{percent(stop)} stop words, at least {percent(self.min_stop_words)}"
        flagged = share_in(words, self._list(self.flagged_words, flagged_words()))
        if flagged > self.max_flagged_words:
            yield f"{percent(flagged)} flagged words, at most {percent(self.max_flagged_words)}"
        marks = punctuation_share(text, self.punctuation_from)
        if marks < self.min_punctuation:
            yield f"{percent(marks)} punctuation, at least {percent(self.min_punctuation)}"
        if self.common_words is not None:
            common = share_in(words, words_in(self.common_words))
            if common < self.min_common_words:
                yield f"{percent(common)} common words, at least {percent(self.min_common_words)}"

    def _list(self, path: Path | None, ours: frozenset[str]) -> frozenset[str]:
        return ours if path is None else words_in(path)


@dataclass(frozen=True)
class ParagraphRules(TextRules):
    """Takes texts out that do not read like a paragraph; see `TextRules` for the settings.

    Args:
        exempt: kinds of text that stay in any case. OBELICS knows no kinds and spares none; titles
            and headings are short by nature, and say what comes next.

    Source: OBELICS, filters of nodes.
    """

    name: ClassVar[str] = "paragraph-rules"

    min_words: int = 4
    max_words: int = 1000
    max_character_repetition: float = 0.1
    max_word_repetition: float = 0.1
    max_special_characters: float = 0.3
    min_stop_words: float = 0.3
    max_flagged_words: float = 0.01
    min_punctuation: float = 0.001
    punctuation_from: int = 12
    min_common_words: float = 0.8
    exempt: tuple[TextKind, ...] = ("title", "heading")

    def __call__(self, page: Page) -> Outcome:
        """The page without those texts."""
        return without_texts(page, self._reason_against_node, self.exempt)

    def _reason_against_node(self, text: TextNode) -> str | None:
        return self.reason_against(text.text)


@dataclass(frozen=True)
class DocumentRules(TextRules):
    """Takes pages out whose text as a whole does not read like one; settings as in `TextRules`.

    Source: OBELICS, filters of documents. Its limit on the perplexity by a language model is left
    out; images are counted by `NumberOfImages`, languages are told by `Language`.
    """

    name: ClassVar[str] = "document-rules"

    min_words: int = 10
    max_words: int = 2000
    max_character_repetition: float = 0.1
    max_word_repetition: float = 0.2
    max_special_characters: float = 0.275
    min_stop_words: float = 0.35
    max_flagged_words: float = 0.01
    min_punctuation: float = 0.03
    min_common_words: float = 0.9

    def __call__(self, page: Page) -> Outcome:
        """The page, or nothing."""
        reason = self.reason_against(text_of(page))
        return Outcome(page) if reason is None else page_out(page, reason)
