"""The files in which predictions lie: one per process that an evaluation was divided among."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.prediction import Place, Prediction
from flamingo.foundation.errors import DataError
from flamingo.foundation.records import from_plain

PREDICTIONS = "predictions.jsonl"
_PIECE = 2**16


def own_file(folder: Path, rank: int) -> Path:
    """Where a process writes; each has its own file, so that none writes into another's line."""
    return folder / (PREDICTIONS if rank == 0 else f"predictions-{rank}.jsonl")


def prediction_files(folder: Path) -> list[Path]:
    """All that there are, whatever the number of processes then and now."""
    others = sorted(folder.glob("predictions-*.jsonl"))
    return [path for path in (folder / PREDICTIONS, *others) if path.is_file()]


def read_outcomes(folder: Path) -> Iterator[tuple[Place, Outcome]]:
    """What metrics see of every prediction of an evaluation, by what names it.

    A line that a killed run left unfinished is left out. There may be millions of lines, with
    a thousand candidates each: only what is needed is looked at.

    Raises:
        DataError: a line is no prediction.
    """
    names: dict[str, str] = {}
    for path in prediction_files(folder):
        for number, plain in plain_predictions(path):
            try:
                place = (plain["task"], plain["shots"], plain["control"], plain["index"])
                outcome = Outcome(
                    plain["prediction"],
                    tuple(plain["references"]),
                    # Class names come again in every line: each is kept once.
                    tuple((names.setdefault(name, name), s) for name, s in plain["candidates"]),
                    plain["details"],
                )
            except (KeyError, TypeError, ValueError) as error:
                raise _damaged(path, number, error) from error
            yield place, outcome


def plain_predictions(path: Path) -> Iterator[tuple[int, Any]]:
    """Number and content of each whole line of one file.

    Raises:
        DataError: a line is not JSON.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            # Only the last line can lack its end.
            if line.endswith(b"\n"):
                try:
                    yield number, json.loads(line)
                except ValueError as error:
                    raise _damaged(path, number, error) from error


def as_prediction(plain: Any, path: Path, number: int) -> Prediction:
    """A line's content as a prediction.

    Raises:
        DataError: it is none.
    """
    try:
        return from_plain(Prediction, plain)
    except (ValueError, TypeError) as error:
        raise _damaged(path, number, error) from error


def drop_unfinished_line(path: Path) -> None:
    """Takes away what a killed run left of its last line, so that the next one begins a line."""
    if not path.is_file():
        return
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            # From the end, as files have gigabytes and lines at most some hundred kilobytes.
            start = max(0, end - _PIECE)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        file.truncate(end)


def _damaged(path: Path, number: int, error: Exception) -> DataError:
    return DataError(
        f"Line {number} of {path} is not a prediction: {error!r}.\n"
        "Remove the line, and its query is asked again; or choose another folder."
    )
