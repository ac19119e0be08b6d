"""Which rows may still be among the best ones, told from scores that are only nearly right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]


class Preselection:
    """The rows of one query that may be among its `num` best, while blocks of scores pass by.

    Args:
        num: how many are sought.
        margin: how far the scores of two equal rows may lie apart.
    """

    def __init__(self, num: int, margin: float) -> None:
        self.num, self.margin = num, np.float32(margin)
        self.rows: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.scores: Scores = np.empty(0, np.float32)
        self.cut = np.float32(-np.inf)

    def add(self, rows: npt.NDArray[np.int64], scores: Scores) -> None:
        """Takes further rows, with higher numbers than all before, and drops what is too far off.

        A score of minus infinity stands for a row that may not be chosen.
        """
        self.rows = np.concatenate([self.rows, rows])
        self.scores = np.concatenate([self.scores, scores])
        if len(self.scores) >= self.num:
            smallest = len(self.scores) - self.num
            self.cut = np.partition(self.scores, smallest)[smallest] - self.margin
            stays = self.scores >= self.cut
            self.rows, self.scores = self.rows[stays], self.scores[stays]


def add_block(found: Sequence[Preselection], scores: Scores, start: int) -> None:
    """Gives each query what may be among its best in a block of rows.

    Args:
        found: by query; all seek the same number, with the same margin.
        scores: `[queries, rows]`.
        start: number of the block's first row.
    """
    num, margin = found[0].num, found[0].margin
    cuts = np.array([one.cut for one in found], np.float32)
    if num <= scores.shape[1]:
        smallest = scores.shape[1] - num
        bounds = np.partition(scores, smallest, axis=1)[:, smallest]
        cuts = np.maximum(cuts, bounds - margin)
    for one, own, cut in zip(found, scores, cuts, strict=True):
        columns = np.flatnonzero((own >= cut) & (own > -np.inf))
        if len(columns):
            one.add(columns + start, own[columns])
