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


@dataclass(frozen=True)
class _Rankings:
    """The rows that every action is judged by, from the highest score to the lowest.

    The actions stand one behind the other in the same arrays.

    Attributes:
        rows: numbers of the outcomes.
        is_positive: whether they show the action.
        videos: a number for each video in each of three groups: positives, those that miss by the
            verb or the noun (hard negatives), and other negatives.
        runs: where rows with the same score begin; within such a run there is no order.
        actions: the first run of each action.
    """

    rows: Ints
    is_positive: npt.NDArray[np.bool_]
    videos: Ints
    runs: Ints
    actions: Ints

    def average_precisions(self, counts: Floats) -> Floats:
        """Of every action that has a positive row, where each outcome is there so many times."""
        times = counts[self.rows]
        # All clips of a video weigh as much as one, in each of the groups apart.
        clips = np.bincount(self.videos, weights=times)
        weights = times / np.maximum(clips, 1)[self.videos]
        gained = np.add.reduceat(weights * self.is_positive, self.runs)
        found = self._so_far(gained)
        seen = self._so_far(np.add.reduceat(weights, self.runs))
        precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
        areas = np.add.reduceat(gained * precision, self.actions)
        totals = np.add.reduceat(gained, self.actions)
        return np.asarray(areas[totals > 0] / totals[totals > 0])

    def _so_far(self, per_run: Floats) -> Floats:
        """The sums of each action from its first run to every run."""
        sums = np.cumsum(per_run)
        before = (sums - per_run)[self.actions]
        return sums - np.repeat(before, np.diff(self.actions, append=len(self.runs)))


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
        if not outcomes:
            return lambda picked: float("nan")
        rankings = _rankings(outcomes)

        def total(picked: npt.NDArray[np.int64]) -> float:
            counts = np.bincount(picked, minlength=len(outcomes)).astype(np.float64)
            found = rankings.average_precisions(counts) if rankings else np.empty(0)
            return 100 * float(found.mean()) if len(found) else float("nan")

        return total


def _rankings(outcomes: Sequence[Outcome]) -> _Rankings | None:
    """The rankings of all actions that have a positive row; None if there is none."""
    scores = _score_matrix(outcomes)
    number = np.array([int(_detail(outcome, "class")) for outcome in outcomes])
    mark = np.array([int(_detail(outcome, "annotation")) for outcome in outcomes])
    verb, noun, video = (
        np.unique([str(_detail(outcome, name)) for outcome in outcomes], return_inverse=True)[1]
        for name in ("verb", "noun", "video")
    )
    parts = []
    for action in np.unique(number[mark == POSITIVE]):
        is_own = number == action
        _check_action(outcomes, verb[is_own], noun[is_own], int(action))
        first = int(is_own.argmax())
        is_near = (verb == verb[first]) != (noun == noun[first])
        group = np.where(is_own, mark, np.where(is_near, 2, 0)).clip(max=2)
        rows = np.flatnonzero(is_own | (mark == POSITIVE))
        rows = rows[np.argsort(-scores[rows, action], kind="stable")]
        ranked = scores[rows, action]
        begins_run = np.append(True, ranked[1:] != ranked[:-1])
        parts.append((rows, group[rows], video[rows] * 3 + group[rows], begins_run))
    if not parts:
        return None
    all_rows, groups, videos, begins = map(np.concatenate, zip(*parts, strict=True))
    sizes = [len(part[0]) for part in parts]
    of_action = np.repeat(np.arange(len(parts)), sizes)
    runs = np.flatnonzero(begins)
    return _Rankings(
        rows=all_rows,
        is_positive=groups == POSITIVE,
        videos=np.unique(of_action * (videos.max() + 1) + videos, return_inverse=True)[1],
        runs=runs,
        actions=np.searchsorted(runs, np.cumsum([0, *sizes[:-1]])),
    )


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
