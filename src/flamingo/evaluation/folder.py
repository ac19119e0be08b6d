"""The folder of an evaluation, read back: its cells, its summary, its predictions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flamingo.evaluation.answered import Answered, place_of, read_answers
from flamingo.evaluation.cell import Cell
from flamingo.evaluation.controls import NONE
from flamingo.evaluation.journal import NOT_WRITTEN_ANEW, SETTINGS
from flamingo.evaluation.json_file import read_json
from flamingo.evaluation.prediction import Place, Prediction
from flamingo.evaluation.prediction_files import (
    PREDICTIONS,
    as_prediction,
    plain_predictions,
    prediction_files,
)
from flamingo.evaluation.report import RESULTS, SUMMARY
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.records import from_plain


@dataclass(frozen=True)
class Evaluation:
    """What `flamingo evaluate` has written so far.

    Attributes:
        folder: where it is.
        cells: those that are complete and have a score.
        summary: how the numbers came about.
        model: which one was asked, as it was called.
        model_sha256: of its weights.
        seed: of queries and supports.
        episodes: by task the fingerprint of its first episode.
        sources: by task how it was opened, and the name of its metric.
    """

    folder: Path
    cells: tuple[Cell, ...]
    summary: Mapping[str, Any]
    model: str
    model_sha256: str
    seed: int
    episodes: Mapping[str, str]
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that have a cell, in the order of the evaluation."""
        return tuple(dict.fromkeys(cell.task for cell in self.cells))

    def metric_of(self, task: str) -> str:
        """Name of the metric that scores a task."""
        return str(self.sources.get(task, {}).get("metric", "accuracy"))

    def answers_by_task(self) -> dict[str, list[Answered]]:
        """All answers, from one pass over the files; first those of tasks that have a cell.

        Raises:
            DataError: the file of the predictions is missing or damaged.
        """
        if not prediction_files(self.folder):
            _present(self.folder / PREDICTIONS)
        found: dict[str, list[Answered]] = {name: [] for name in self.tasks}
        for one in read_answers(self.folder):
            found.setdefault(one.place[0], []).append(one)
        return found

    def predictions(self, places: Collection[Place]) -> dict[Place, Prediction]:
        """Some answers with their prompts, from one pass over the files.

        Args:
            places: what names them.

        Raises:
            DataError: a file of predictions is damaged.
        """
        found = {}
        for path in prediction_files(self.folder):
            for number, plain in plain_predictions(path):
                try:
                    is_wanted = place_of(plain) in places
                except (KeyError, TypeError):
                    # What is wrong with the line is told by the look at all of it.
                    is_wanted = True
                if is_wanted:
                    one = as_prediction(plain, path, number)
                    found[one.place] = one
        return found


def read_evaluation(folder: Path, *, may_lack_scores: bool = False) -> Evaluation:
    """Reads what `flamingo evaluate --out FOLDER` wrote; it may still be going on.

    Args:
        folder: that one.
        may_lack_scores: whether answers alone will do: where the right ones are hidden, there are
            no others.

    Raises:
        DataError: there is no such folder, no result in it yet, or a file is damaged.
    """
    if not folder.is_dir():
        raise DataError(
            f"There is no folder {folder}.\n"
            f"Make one with `flamingo evaluate MODEL --out {folder}`, or give another folder."
        )
    plain = read_json(_present(folder / RESULTS), list)
    if not plain and not (may_lack_scores and prediction_files(folder)):
        raise DataError(
            f"{folder} has no complete result yet: {RESULTS} is empty.\n"
            "Give the command of `flamingo evaluate` again, and let it finish at least one task "
            "whose right answers are known."
        )
    summary = read_json(_present(folder / SUMMARY), dict)
    settings = read_json(_present(folder / SETTINGS), dict, NOT_WRITTEN_ANEW)
    try:
        return Evaluation(
            folder=folder,
            cells=tuple(from_plain(Cell, cell) for cell in plain),
            summary=summary,
            model=summary["model"],
            model_sha256=settings["model_sha256"],
            seed=settings["seed"],
            episodes=settings["episodes"],
            sources=summary.get("sources", {}),
        )
    except (ConfigError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder} does not hold what this version of `flamingo evaluate` writes: {error}\n"
            "Evaluate again into another folder."
        ) from error


def shots_to_show(cells: Sequence[Cell], most: int = 4) -> dict[str, int]:
    """For each task the number of shots of which examples are shown.

    Args:
        cells: of the evaluation.
        most: the largest number up to this one is taken; if all are larger, the smallest.
    """
    chosen = {}
    for task in dict.fromkeys(cell.task for cell in cells):
        shots = [cell.shots for cell in cells if (cell.task, cell.control) == (task, NONE)]
        if shots:
            chosen[task] = max((n for n in shots if n <= most), default=min(shots))
    return chosen


def wrong_ones_first(
    answers: Sequence[Answered], num: int = 3, num_wrong: int = 2
) -> list[Answered]:
    """A few answers to look at.

    Args:
        answers: to one task.
        num: how many are taken, if there are as many.
        num_wrong: how many of them are wrong ones, if there are enough of both.
    """
    ordered = sorted(answers, key=lambda one: one.index)
    wrong = [one for one in ordered if not one.is_right]
    right = [one for one in ordered if one.is_right]
    kept = wrong[: max(num_wrong, num - len(right))]
    return [*kept, *right[: num - len(kept)]]


def _present(path: Path) -> Path:
    """The path, if it leads to a file."""
    if not path.is_file():
        raise DataError(
            f"{path.parent} has no {path.name}, so it is not the folder of an evaluation, or of "
            "one that has no complete result yet.\n"
            "Give the folder that was the --out of `flamingo evaluate`."
        )
    return path
