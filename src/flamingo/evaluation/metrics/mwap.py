"""RareAct: does every unusual action find its own videos before all others?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flamingo.evaluation.metrics.candidates import probabilities, scores_of
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.foundation.errors import DataError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

POSITIVE = 1
"""Annotation of a clip that shows the action; 0 shows neither verb nor noun, 2 only the verb,
3 only the noun, 4 both, but not the one done to the other."""


def average_precision(weights: Floats, is_positive: npt.NDArray[np.bool_], ends: Ints) -> float:
    """The mean precision over the weight of all positives, in a ranking from best to worst.

    Args:
        weights: of each row in the ranking.
        is_positive: whether it counts as found.
        ends: last rows of the runs with the same score; within a run there is no order.
    """
    found = np.cumsum(weights * is_positive)[ends]
    seen = np.cumsum(weights)[ends]
    precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
    return float((np.diff(found, prepend=0.0) * precision).sum() / found[-1])


@dataclass(frozen=True)
class _Ranking:
    """The rows that one action is judged by, from the highest score to the lowest.

    Attributes:
        rows: numbers of the outcomes.
        is_positive: whether they show the action.
        videos: a number for each video in each of three groups: positives, those that miss by the
            verb or the noun (hard negatives), and other negatives.
        ends: last rows of the runs with the same score.
    """

    rows: Ints
    is_positive: npt.NDArray[np.bool_]
    videos: Ints
    ends: Ints

    def average_precision(self, counts: Floats) -> float | None:
        """With each outcome there so many times; None if no positive is."""
        times = counts[self.rows]
        if not times[self.is_positive].any():
            return None
        # All clips of a video weigh as much as one, in each of the groups apart.
        clips = np.bincount(self.videos, weights=times)[self.videos]
        weights = np.divide(times, clips, out=np.zeros_like(times), where=times > 0)
        return average_precision(weights, self.is_positive, self.ends)


@dataclass(frozen=True)
class Mwap:
    """Mean weighted average precision, as in the code that comes with RareAct.

    An outcome is a row of the official file. Its details are `video`, `class`, `annotation` (0 to
    4), `verb` and `noun`, and its candidates are all classes in their order, with a score each.
    `class` is a number from 0, the place among the candidates.

    An action is judged by its own rows, and by the positive rows of all other actions, which are
    hard negatives if they have its verb or its noun. An action without a positive row is left out.
    """

    @property
    def name(self) -> str:
        """What the number is called in tables."""
        return "mWAP"

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        """The share of its class among all, or 1 less that if it does not show the action.

        To look at only: the total is not made of it.
        """
        worth = []
        for outcome in outcomes:
            share = float(probabilities(scores_of(outcome))[int(_detail(outcome, "class"))])
            worth.append(share if _detail(outcome, "annotation") == POSITIVE else 1 - share)
        return worth

    def total(self, outcomes: Sequence[Outcome], each: Sequence[float]) -> float:
        """The mean over actions, in points.

        Raises:
            DataError: details or candidates are missing or do not fit together, or no outcome is
                positive.
        """
        found = self.resampled(outcomes, each)(np.arange(len(outcomes)))
        if np.isnan(found):
            raise DataError(
                f"none of {len(outcomes)} outcomes has the annotation {POSITIVE}: there is nothing "
                "to find.\nEvaluate all rows of the official file."
            )
        return found

    def resampled(
        self, outcomes: Sequence[Outcome], each: Sequence[float]
    ) -> Callable[[npt.NDArray[np.int64]], float]:
        """What gives the total of outcomes picked by number, see `bootstrap`."""
        del each
        rankings = _rankings(outcomes)

        def total(picked: npt.NDArray[np.int64]) -> float:
            counts = np.bincount(picked, minlength=len(outcomes)).astype(np.float64)
            found = [ranking.average_precision(counts) for ranking in rankings]
            known = [value for value in found if value is not None]
            return 100 * float(np.mean(known)) if known else float("nan")

        return total


def _rankings(outcomes: Sequence[Outcome]) -> list[_Ranking]:
    """The ranking of every action that has a positive row."""
    if not outcomes:
        return []
    scores = _score_matrix(outcomes)
    number = np.array([int(_detail(outcome, "class")) for outcome in outcomes])
    mark = np.array([int(_detail(outcome, "annotation")) for outcome in outcomes])
    verb, noun, video = (
        np.unique([str(_detail(outcome, name)) for outcome in outcomes], return_inverse=True)[1]
        for name in ("verb", "noun", "video")
    )
    rankings = []
    for action in np.unique(number[mark == POSITIVE]):
        is_own = number == action
        first = int(is_own.argmax())
        _check_action(outcomes, verb[is_own], noun[is_own], int(action))
        is_near = (verb == verb[first]) != (noun == noun[first])
        group = np.where(is_own, mark, np.where(is_near, 2, 0)).clip(max=2)
        rows = np.flatnonzero(is_own | (mark == POSITIVE))
        rows = rows[np.argsort(-scores[rows, action], kind="stable")]
        ranked = scores[rows, action]
        ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        videos = np.unique(video[rows] * 3 + group[rows], return_inverse=True)[1]
        rankings.append(_Ranking(rows, group[rows] == POSITIVE, videos, ends))
    return rankings


def _score_matrix(outcomes: Sequence[Outcome]) -> Floats:
    sizes = {len(outcome.candidates) for outcome in outcomes}
    highest = max(int(_detail(outcome, "class")) for outcome in outcomes)
    if len(sizes) > 1 or highest >= max(sizes):
        raise DataError(
            f"outcomes have {' or '.join(map(str, sorted(sizes)))} candidates, and classes up to "
            f"number {highest}.\nmWAP needs a score of every class for every row."
        )
    return np.stack([scores_of(outcome) for outcome in outcomes])


def _check_action(outcomes: Sequence[Outcome], verbs: Ints, nouns: Ints, action: int) -> None:
    if len(np.unique(verbs)) > 1 or len(np.unique(nouns)) > 1:
        own = [one.details for one in outcomes if one.details["class"] == action]
        names = sorted({f"{one['verb']} {one['noun']}" for one in own})
        raise DataError(
            f"class {action} stands for several actions: {', '.join(names)}.\n"
            "A class of RareAct is one verb with one noun."
        )


def _detail(outcome: Outcome, name: str) -> Any:
    if name not in outcome.details:
        raise DataError(
            f"an outcome has no detail {name!r}, only {sorted(outcome.details)}.\n"
            "mWAP needs video, class, annotation, verb and noun."
        )
    return outcome.details[name]
