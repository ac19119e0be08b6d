"""RICES finds the most similar supports, all of them, and in an order that never changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.foundation.errors import ConfigError, DataError
from flamingo.prompting.rices import Neighbors, SimilarityIndex, most_similar_last

Array = npt.NDArray[Any]


def sorted_by_hand(
    supports: Array, queries: Array, num: int, exclude: list[list[int]] | None = None
) -> Neighbors:
    """Every cosine, in float64, sorted as a whole."""
    rows, similarities = [], []
    wide = unit(supports).astype(np.float64)
    for number, query in enumerate(unit(queries).astype(np.float64)):
        banned = set(exclude[number]) if exclude else set()
        scores = (wide * query).sum(axis=1)
        order = sorted(range(len(wide)), key=lambda row: (row in banned, -scores[row], row))
        rows.append(order[:num])
        similarities.append(scores[order[:num]])
    return Neighbors(np.array(rows, np.int64), np.array(similarities))


def unit(rows: Array) -> Array:
    wide = rows.astype(np.float64)
    return (wide / np.sqrt((wide * wide).sum(axis=1))[:, None]).astype(np.float32)


@st.composite
def searches(draw: st.DrawFn) -> tuple[Array, Array, int, list[list[int]], int]:
    """Supports with many repetitions and many rows that are nearly equal."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    patterns = rng.standard_normal((draw(st.integers(1, 8)), width))
    supports = patterns[rng.integers(len(patterns), size=size)]
    supports += draw(st.sampled_from([0.0, 1e-8, 1e-7, 1e-6, 1.0])) * rng.standard_normal(
        supports.shape
    )
    supports *= 10.0 ** draw(st.integers(-3, 3))
    queries = rng.standard_normal((draw(st.integers(1, 4)), width))
    queries[0] = patterns[0]
    num_excluded = draw(st.integers(0, size - 1))
    exclude = [rng.integers(size, size=num_excluded).tolist() for _ in queries]
    num = draw(st.integers(0, size - max(len(set(own)) for own in exclude)))
    block_bytes = draw(st.sampled_from([40, 200, 2**26]))
    kind = draw(st.sampled_from([np.float16, np.float32, np.float64]))
    return supports.astype(kind), queries.astype(np.float32), num, exclude, block_bytes


@settings(max_examples=40, deadline=None)
@given(searches())
def test_it_finds_what_sorting_everything_finds(
    search: tuple[Array, Array, int, list[list[int]], int],
) -> None:
    supports, queries, num, exclude, block_bytes = search
    found = SimilarityIndex(supports, block_bytes=block_bytes).nearest(queries, num, exclude)
    expected = sorted_by_hand(supports, queries, num, exclude)
    assert found.rows.shape == (len(queries), num)
    assert np.array_equal(found.rows, expected.rows)
    assert np.array_equal(found.similarities, expected.similarities)


def test_rows_that_float32_cannot_tell_apart_keep_their_order() -> None:
    rng = np.random.default_rng(0)
    width = 512
    query = rng.standard_normal(width)
    # Cosines that differ by less than the error of a dot product in float32.
    supports = np.stack([query + 3e-4 * rng.standard_normal(width) for _ in range(400)])
    expected = sorted_by_hand(supports, query[None], 50)
    narrow = unit(supports) @ unit(query[None])[0]
    assert not np.array_equal(np.argsort(-narrow, kind="stable")[:50], expected.rows[0])
    for block_bytes in (4 * 7, 4 * 64, 2**26):
        found = SimilarityIndex(supports, block_bytes=block_bytes).nearest(query[None], 50)
        assert np.array_equal(found.rows, expected.rows)


def test_of_equal_ones_the_lower_number_comes_first() -> None:
    supports = np.ones((9, 5), np.float32)
    assert SimilarityIndex(supports).nearest(supports[:1], 4).rows.tolist() == [[0, 1, 2, 3]]


def test_many_queries_pass_in_pieces() -> None:
    rng = np.random.default_rng(1)
    supports, queries = rng.standard_normal((40, 3)), rng.standard_normal((300, 3))
    found = SimilarityIndex(supports).nearest(queries, 2)
    assert np.array_equal(found.rows, sorted_by_hand(supports, queries, 2).rows)


def test_length_does_not_count() -> None:
    supports = np.array([[100.0, 100.0], [0.1, 0.0], [-3.0, 0.0]])
    found = SimilarityIndex(supports).nearest(np.array([[7.0, 0.0]]), 3)
    assert found.rows.tolist() == [[1, 0, 2]]
    assert found.similarities[0] == pytest.approx([1, 2**-0.5, -1])


def test_the_most_similar_support_comes_last_and_the_query_is_not_among_them() -> None:
    rng = np.random.default_rng(2)
    features = rng.standard_normal((20, 6)).astype(np.float32)
    index = SimilarityIndex(features)
    queries = features[[4, 11]]
    assert most_similar_last(index, queries, 3)[:, -1].tolist() == [4, 11]
    without = most_similar_last(index, queries, 3, exclude=[[4], [11, 0]])
    expected = sorted_by_hand(features, queries, 3, [[4], [11, 0]]).rows
    assert np.array_equal(without, expected[:, ::-1])


def test_no_query_and_no_shot_are_nothing() -> None:
    index = SimilarityIndex(np.eye(3))
    assert index.nearest(np.empty((0, 3)), 2).rows.shape == (0, 2)
    assert most_similar_last(index, np.eye(3), 0).shape == (3, 0)


def test_float16_is_not_copied() -> None:
    features = np.eye(4, dtype=np.float16)
    assert SimilarityIndex(features)._rows is features


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros((0, 3)), "There are no features"),
        (np.array([[1.0, 0.0], [0.0, 0.0]]), "Row 1 of the support features is all zeros; 1 of 2"),
        (np.array([[np.nan, 1.0]]), "Row 0 of the support features is not finite"),
        (np.array([[1.0, np.inf]]), "Row 0 of the support features is not finite"),
        (np.ones(3), r"float64 of the shape \[3\], expected"),
        (np.ones((3, 2), np.int64), "int64 of the shape"),
    ],
)
def test_features_without_a_direction_are_refused(features: Array, message: str) -> None:
    with pytest.raises(DataError, match=message):
        SimilarityIndex(features)


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        (np.ones((1, 4)), "query features have the width 4, those that are searched 3"),
        (np.array([[1.0, 2.0, np.nan]]), "Row 0 of the query features is not finite"),
        (np.zeros((2, 3)), "Row 0 of the query features is all zeros; 2 of 2"),
    ],
)
def test_queries_that_do_not_fit_are_refused(queries: Array, message: str) -> None:
    with pytest.raises(DataError, match=message):
        SimilarityIndex(np.eye(3)).nearest(queries, 1)


@pytest.mark.parametrize(
    ("num", "exclude", "message"),
    [
        (4, None, "4 supports are asked for, but there are 3"),
        (2, [[], [0, 1, 1]], "there are 3, of which query 1 excludes 2"),
        (-1, None, "-1 supports are asked for"),
        (1, [[]], "2 queries were given, but what to exclude for 1"),
        (1, [[0], [3]], "Query 1 excludes row 3, but the 3 supports have the numbers 0 to 2"),
        (1, [[-1], []], "Query 0 excludes row -1"),
    ],
)
def test_what_cannot_be_had_is_refused(
    num: int, exclude: list[list[int]] | None, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        SimilarityIndex(np.eye(3)).nearest(np.eye(3)[:2], num, exclude)
