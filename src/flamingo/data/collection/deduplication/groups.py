"""Rows with equal keys: which is the best of them, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Found:
    """What a rule has found.

    Attributes:
        rows: of the corpus, ascending: pages, images or texts.
        likes: for each the row that stands for its group: the one that stays, or the first.
        scores: for each the number that decided: a similarity, a count, or bits that differ.
    """

    rows: Rows
    likes: Rows
    scores: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    def between(self, start: int, end: int) -> Found:
        """What it has found from row `start` to before row `end`."""
        part = slice(*np.searchsorted(self.rows, [start, end]).tolist())
        return Found(self.rows[part], self.likes[part], self.scores[part])


def found_of(rows: Rows, likes: Rows, scores: npt.NDArray[Any] | None = None) -> Found:
    """What was found, put in order; without scores they are 0."""
    if scores is None:
        scores = np.zeros(len(rows))
    order = np.argsort(rows, kind="stable")
    return Found(
        rows[order].astype(np.int64),
        likes[order].astype(np.int64),
        scores[order].astype(np.float32),
    )


def all_but_best(keys: Keys, ranks: Rows | None = None) -> tuple[Rows, Rows]:
    """The positions that are not the best of their key, and for each the best one.

    Args:
        keys: equal ones belong together.
        ranks: lowest is best; of equals, and without ranks, the first is.
    """
    order, starts = _sorted(keys, ranks)
    best = np.repeat(order[starts], np.diff(starts, append=len(order)))
    worse = order != best
    return order[worse], best[worse]


def sizes(keys: Keys, pages: Rows | None = None) -> tuple[Rows, Rows]:
    """For each position how many have its key, and the first of them.

    Args:
        keys: equal ones belong together.
        pages: ascending; if given, those of one page count as one.
    """
    order, starts = _sorted(keys, None)
    lengths = np.diff(starts, append=len(order))
    counts = lengths
    if pages is not None and len(order):
        here = pages[order]
        is_new = np.append(True, here[1:] != here[:-1])
        is_new[starts] = True
        counts = np.add.reduceat(is_new.astype(np.int64), starts)
    many, first = np.empty_like(order), np.empty_like(order)
    many[order] = np.repeat(counts, lengths)
    first[order] = np.repeat(order[starts], lengths)
    return many, first


def _sorted(keys: Keys, ranks: Rows | None) -> tuple[Rows, Rows]:
    """An order in which equal keys are side by side, and where each run of them starts."""
    order = np.argsort(keys, kind="stable") if ranks is None else np.lexsort((ranks, keys))
    ordered = keys[order]
    return order, np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
