"""MinHash estimates the share of common shingles, and bands find what is similar enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.deduplication import minhash as module
from flamingo.data.collection.deduplication.minhash import banding, minhash, similarities
from flamingo.foundation.errors import ConfigError


def pair(rng: np.random.Generator, num: int, shared: int) -> tuple[np.ndarray, np.ndarray]:
    one = rng.integers(0, 2**32, num, np.uint32)
    other = np.concatenate([one[:shared], rng.integers(0, 2**32, num - shared, np.uint32)])
    return one, rng.permutation(other)


def test_the_estimate_is_right_on_average_and_as_exact_as_it_says() -> None:
    rng = np.random.default_rng(0)
    errors = []
    for shared in range(0, 400, 2):
        one, other = pair(rng, 400, shared)
        estimate = similarities(minhash(one), minhash(other)[None])[0]
        errors.append(estimate - shared / (800 - shared))
    assert abs(np.mean(errors)) < 0.01
    assert np.std(errors) < 0.044


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=30))
def test_order_and_repetition_make_no_difference(values: list[int]) -> None:
    own = minhash(np.array(values, np.uint32))
    other = minhash(np.array([*values[::-1], *values], np.uint32))
    assert similarities(own, other[None])[0] == 1


def test_long_texts_are_read_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).integers(0, 2**32, 100, np.uint32)
    whole = minhash(values)
    monkeypatch.setattr(module, "_AT_ONCE", 7)
    np.testing.assert_array_equal(minhash(values), whole)
    assert similarities(whole, minhash(values[:50])[None])[0] < 0.7


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_bands_find_what_is_similar_enough_and_no_larger_ones_do(threshold: float) -> None:
    count, size = banding(threshold)

    def recall(size: int) -> float:
        return 1 - (1 - threshold**size) ** (128 // size)

    assert count * size <= 128
    assert recall(size) >= 0.99
    assert size == 128 or recall(size + 1) < 0.99


def test_what_cannot_be_found_is_refused() -> None:
    with pytest.raises(ConfigError, match="near_text is 0"):
        banding(0.01)
