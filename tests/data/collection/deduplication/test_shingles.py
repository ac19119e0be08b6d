"""Texts with the same words have the same shingles; no word can be changed unnoticed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.deduplication.shingles import WORDS_PER_SHINGLE, shingles

WORDS = st.lists(st.text("abcdé0", min_size=1, max_size=6), min_size=1, max_size=20)


@given(WORDS, st.sampled_from([" ", "\n\n", ", ", " — ", "…"]))
def test_only_words_count(words: list[str], between: str) -> None:
    plain = shingles(" ".join(words))
    assert len(plain) == max(1, len(words) - WORDS_PER_SHINGLE + 1)
    np.testing.assert_array_equal(shingles(f"({between.join(words).upper()}!)"), plain)


@given(WORDS, WORDS)
def test_equal_shingles_mean_equal_words(words: list[str], others: list[str]) -> None:
    same = np.array_equal(shingles(" ".join(words)), shingles(" ".join(others)))
    assert same == (words == others)


def test_a_changed_word_changes_the_shingles_around_it_only() -> None:
    words = [f"word{number}" for number in range(30)]
    before = shingles(" ".join(words))
    words[12] = "another"
    changed = np.flatnonzero(before != shingles(" ".join(words)))
    assert changed.tolist() == list(range(8, 13))


def test_long_words_differ_in_each_letter() -> None:
    long = "a" * 1000
    variants = {long, *(f"{long[:place]}b{long[place + 1 :]}" for place in range(0, 1000, 7))}
    assert len({int(shingles(one)[0]) for one in variants}) == len(variants)


def test_letters_of_scripts_without_spaces_are_words() -> None:
    assert len(shingles("这是一个句子吗")) == 7 - WORDS_PER_SHINGLE + 1
    assert len(shingles("Это одно предложение из шести слов")) == 6 - WORDS_PER_SHINGLE + 1


def test_of_a_very_long_text_the_beginning_is_looked_at() -> None:
    long = "a cat sat on the mat " * 50_000
    np.testing.assert_array_equal(shingles(long + "and more " * 1_000_000), shingles(long))


def test_texts_without_words_have_none() -> None:
    assert len(shingles("")) == len(shingles(" .,;!\n—")) == 0
    assert len(shingles("\ud800 a \U0010ffff")) == 1
