"""Supports that look most like the query: Retrieval-based In-Context Example Selection (RICES)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flamingo.foundation.errors import ConfigError, DataError
from flamingo.prompting.feature_rows import Features, lengths_of, unit_rows
from flamingo.prompting.preselection import Preselection, add_block

Rows = npt.NDArray[np.int64]

_QUERIES_AT_ONCE = 256
_SCORED_AT_ONCE = 4096
_ROUNDING = 2.0**-24
"""What one operation in float32 may be off, relative to its result."""


@dataclass(frozen=True, eq=False)
class Neighbors:
    """What was found for each query, the most similar first.

    Attributes:
        rows: `[queries, num]`, the supports' row numbers.
        similarities: `[queries, num]`, their cosines.
    """

    rows: Rows
    similarities: npt.NDArray[np.float64]


class SimilarityIndex:
    """Finds the supports with the largest cosine to a query, exactly.

    Exact means: of rows of length 1 in float32, the dot products in float64; the largest of them,
    and of equal ones those with the lower row number. A matrix product in float32 only preselects:
    it keeps whatever could be among the largest if all of its rounding errors were at their bound.
    So neither the size of blocks nor the number of threads nor the BLAS changes what is found.

    Args:
        features: `[supports, width]`, numbers of any floating format. Float16 is kept as it is,
            not copied, and widened in every search: half of the memory, but slow for few queries
            at once. All others are kept as a copy in float32.
        block_bytes: what a piece of the table queries x supports, and of widened supports, may
            take at most.

    Raises:
        DataError: there is none, or a row is not finite or all zeros.

    Paper: Sec. 3.1, App. A.2. The paper does not say which similarity, and how features are pooled.
    """

    def __init__(self, features: Features, *, block_bytes: int = 64 * 2**20) -> None:
        lengths = lengths_of(features, "support")
        if not len(features):
            raise DataError("There are no features to search. Give those of at least one support.")
        self._is_narrow = features.dtype == np.float16
        self._rows = features if self._is_narrow else unit_rows(features, lengths)
        self._lengths = lengths
        self._block_bytes = block_bytes
        # Each score is off by width roundings at most, in whatever order a BLAS adds up; two of
        # them, a hundredth for lengths that are not quite 1, and a few roundings: of float16 that
        # is divided after its products and not before, and of the cut itself.
        self._margin = (2.02 * self.width + 12) * _ROUNDING

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return int(self._rows.shape[1])

    def nearest(
        self, queries: Features, num: int, exclude: Sequence[Iterable[int]] | None = None
    ) -> Neighbors:
        """The `num` most similar supports of each query, the most similar first.

        Args:
            queries: `[queries, width]`, numbers of any floating format.
            num: how many for each.
            exclude: for each query the rows that may not be chosen: the query itself, and
                whatever shows the same picture.

        Raises:
            DataError: a query is of another width, not finite, or all zeros.
            ConfigError: a query has fewer supports than `num`, or excludes one that does not exist.
        """
        units = unit_rows(queries, lengths_of(queries, "query", self.width))
        banned = _banned(exclude, len(units), len(self))
        _check_number(num, len(self), banned)
        rows = np.empty((len(units), num), np.int64)
        similarities = np.empty((len(units), num), np.float64)
        for start in range(0, len(units) if num else 0, _QUERIES_AT_ONCE):
            few = slice(start, start + _QUERIES_AT_ONCE)
            for query, likely in enumerate(self._likely(units[few], num, banned[few]), start):
                scores = self._scores(units[query], likely)
                best = np.argsort(-scores, kind="stable")[:num]
                rows[query], similarities[query] = likely[best], scores[best]
        return Neighbors(rows, similarities)

    def _likely(self, units: Features, num: int, banned: Sequence[Rows]) -> list[Rows]:
        """For each query, in ascending order, all rows that may be among its best."""
        size = max(1, self._block_bytes // (4 * max(len(units), self.width * self._is_narrow)))
        found = [Preselection(num, self._margin) for _ in units]
        for start in range(0, len(self), size):
            rows = self._rows[start : start + size].astype(np.float32, copy=False)
            scores = units @ rows.T
            if self._is_narrow:
                scores /= self._lengths[start : start + size].astype(np.float32)
            for own, never in zip(scores, banned, strict=True):
                own[never[(never >= start) & (never < start + size)] - start] = -np.inf
            add_block(found, scores, start)
        return [one.rows for one in found]

    def _scores(self, query: Features, rows: Rows) -> npt.NDArray[np.float64]:
        """Dot products with these rows, in float64."""
        wide = query.astype(np.float64)
        scores = np.empty(len(rows))
        for start in range(0, len(rows), _SCORED_AT_ONCE):
            few = rows[start : start + _SCORED_AT_ONCE]
            # Not `@`: for equal rows in different places a BLAS may add up in different orders.
            own = self._rows[few]
            own = unit_rows(own, self._lengths[few]) if self._is_narrow else own
            scores[start : start + len(few)] = (own * wide).sum(axis=1)
        return scores


def most_similar_last(
    index: SimilarityIndex,
    queries: Features,
    num_shots: int,
    exclude: Sequence[Iterable[int]] | None = None,
) -> Rows:
    """The supports of each query in the order of its prompt: the most similar one comes last.

    Takes and raises what `SimilarityIndex.nearest` does; gives rows `[queries, num_shots]`.

    Paper: App. A.2.
    """
    return index.nearest(queries, num_shots, exclude).rows[:, ::-1]


def _banned(exclude: Sequence[Iterable[int]] | None, num_queries: int, size: int) -> list[Rows]:
    """For each query the different rows that may not be chosen."""
    if exclude is None:
        return [np.empty(0, np.int64)] * num_queries
    if len(exclude) != num_queries:
        raise ConfigError(
            f"{num_queries} queries were given, but what to exclude for {len(exclude)}.\n"
            "Give one list for each query; it may be empty."
        )
    banned = [np.unique(np.fromiter(own, np.int64)) for own in exclude]
    for query, own in enumerate(banned):
        wrong = own[(own < 0) | (own >= size)]
        if len(wrong):
            raise ConfigError(
                f"Query {query} excludes row {wrong[0]}, but the {size} supports have the numbers "
                f"0 to {size - 1}."
            )
    return banned


def _check_number(num: int, size: int, banned: Sequence[Rows]) -> None:
    if num < 0:
        raise ConfigError(f"{num} supports are asked for. Ask for 0 or more.")
    query = max(range(len(banned)), key=lambda number: len(banned[number]), default=0)
    excluded = len(banned[query]) if banned else 0
    if num > size - excluded:
        but = f", of which query {query} excludes {excluded}" if excluded else ""
        raise ConfigError(
            f"{num} supports are asked for, but there are {size}{but}.\n"
            "Ask for fewer shots, or give a larger support set."
        )
