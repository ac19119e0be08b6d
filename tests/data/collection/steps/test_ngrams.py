"""What is repeated is found as by looking at every n-gram."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.steps import ngrams
from flamingo.data.collection.steps.ngrams import (
    character_repetition,
    later_shares,
    repeated_grams,
    word_repetition,
)

WORDS = st.lists(st.sampled_from(["a", "bb", "ccc", "dddd"]), max_size=40)


def covered(words: list[str], places: list[int], n: int) -> float:
    """The share of characters in the n words from any of the places."""
    inside = {place + offset for place in places for offset in range(n)}
    return sum(len(words[place]) for place in inside) / sum(map(len, words))


@given(WORDS)
def test_repeated_grams_are_all_that_are_there_twice(words: list[str]) -> None:
    found = {repeated.n: repeated for repeated in repeated_grams(words, 6)}
    for n in range(2, 7):
        grams = [tuple(words[place : place + n]) for place in range(len(words) - n + 1)]
        counts = Counter(grams)
        repeated = [place for place, gram in enumerate(grams) if counts[gram] > 1]
        assert list(found[n].places if n in found else []) == repeated


@given(WORDS)
def test_later_share_is_that_of_all_but_the_first(words: list[str]) -> None:
    for repeated in repeated_grams(words, 6):
        n = repeated.n
        grams = [tuple(words[place : place + n]) for place in range(len(words) - n + 1)]
        later = [place for place, gram in enumerate(grams) if gram in grams[:place]]
        assert repeated.later_share == pytest.approx(covered(words, later, n))


@given(WORDS)
def test_later_shares_fall_with_the_number_of_words(words: list[str]) -> None:
    shares = [repeated.later_share for repeated in repeated_grams(words, 10)]
    assert shares == sorted(shares, reverse=True)


@given(WORDS)
def test_top_share_is_that_of_a_most_frequent_one(words: list[str]) -> None:
    for repeated in repeated_grams(words, 4):
        n = repeated.n
        grams = [tuple(words[place : place + n]) for place in range(len(words) - n + 1)]
        counts = Counter(grams)
        top = [gram for gram, count in counts.items() if count == max(counts.values())]
        shares = [covered(words, [i for i, g in enumerate(grams) if g == one], n) for one in top]
        assert any(repeated.top_share == pytest.approx(share) for share in shares)


def test_of_several_top_ones_the_longest_counts() -> None:
    words = ["a", "b", "x", "a", "b", "y", "long", "word", "z", "long", "word"]
    (twos, *_) = repeated_grams(words, 2)
    assert twos.top_share == 16 / 23


def test_a_long_text_is_looked_at_up_to_a_number_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "MOST_WORDS", 3)
    assert list(repeated_grams(["a", "b", "c", "a", "b"], 2)) == []


def test_later_shares_of_texts() -> None:
    assert later_shares(["aa", "bbb", "aa", "aa"]) == (0.5, 4 / 9)
    assert later_shares(["", ""]) == (0.5, 0.0)
    assert later_shares([]) == (0.0, 0.0)


def test_word_repetition_counts_all_occurrences() -> None:
    assert word_repetition(["a", "b", "c", "a", "b"], 2) == 2 / 4
    assert word_repetition(["a", "b"], 5) == 0


def test_character_repetition_counts_the_most_frequent_ones() -> None:
    # 2-grams: ab 3, ba 2, bx, xy 1: 4 distinct, so the first 2 count.
    assert character_repetition("abababxy", 2) == 5 / 7
    # 2-grams: aa 4, ab 1: 2 distinct, so the first counts.
    assert character_repetition("aaaaab", 2) == 4 / 5
    assert character_repetition("abcdef", 2) == 0
    assert character_repetition("a", 2) == 0


def test_a_long_text_is_looked_at_up_to_a_number_of_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ngrams, "MOST_CHARACTERS", 4)
    assert character_repetition("abcdabcd", 2) == 0
