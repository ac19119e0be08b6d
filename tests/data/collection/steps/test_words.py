"""Words and shares of what is in a text."""

from __future__ import annotations

import time

import pytest

from flamingo.data.collection.steps.words import (
    bare_words,
    has_letter,
    punctuation_share,
    share_in,
    special_share,
    text_of,
)
from tests.data.collection.steps.pages_for_steps import image, page, text


def test_bare_words_lose_what_is_around_their_letters() -> None:
    found = bare_words("“Don't,” the 2nd of 3 said: (Ärger) -- e-mail_ 42 x")
    assert found == ["don't", "the", "nd", "of", "said", "ärger", "e-mail", "x"]


def test_a_huge_word_takes_no_longer_than_its_length() -> None:
    started = time.perf_counter()
    for word in ("1" * 10**6, "a" + "1" * 10**6, "a" * 10**6, "!" * 10**6):
        bare_words(word)
        has_letter(word)
        special_share(word)
        punctuation_share(word)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("word", "has"), [("word", True), ("1a1", True), ("ж1", True), ("123", False), ("_-", False)]
)
def test_a_letter_of_any_alphabet_is_one(word: str, has: bool) -> None:
    assert has_letter(word) is has


def test_shares() -> None:
    assert share_in(["a", "b", "a", "c"], {"a"}) == 0.5
    assert special_share("ab 1_") == 0.6
    assert punctuation_share("one, two. three") == 2 / 5


def test_a_short_text_needs_no_punctuation() -> None:
    assert punctuation_share("one two three", from_tokens=4) == 1
    assert punctuation_share("one two three", from_tokens=3) == 0


def test_nothing_has_no_share_of_anything() -> None:
    assert share_in([], {"a"}) == special_share("") == punctuation_share("", 12) == 0


def test_the_text_of_a_page_is_that_of_its_texts() -> None:
    assert text_of(page(text("a"), image(), text("b"))) == "a\n\nb"
