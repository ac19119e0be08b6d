"""The files in which predictions lie: one per process that an evaluation was divided among."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flamingo.evaluation.prediction import Prediction
from flamingo.foundation.errors import DataError
from flamingo.foundation.records import from_plain

PREDICTIONS = "predictions.jsonl"


def own_file(folder: Path, rank: int) -> Path:
    """Where a process writes; each has its own file, so that none writes into another's line."""
    return folder / (PREDICTIONS if rank == 0 else f"predictions-{rank}.jsonl")


def prediction_files(folder: Path) -> list[Path]:
    """All that there are, whatever the number of processes then and now."""
    others = sorted(folder.glob("predictions-*.jsonl"))
    return [path for path in (folder / PREDICTIONS, *others) if path.is_file()]


def read_predictions(folder: Path) -> Iterator[Prediction]:
    """Every prediction of an evaluation; a line that a killed run left unfinished is left out.

    Raises:
        DataError: a line is no prediction.
    """
    for path in prediction_files(folder):
        for number, plain in plain_predictions(path):
            yield as_prediction(plain, path, number)


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
        whole = file.read()
        if not whole.endswith(b"\n"):
            file.truncate(whole.rfind(b"\n") + 1)


def _damaged(path: Path, number: int, error: Exception) -> DataError:
    return DataError(
        f"Line {number} of {path} is not a prediction: {error!r}.\n"
        "Remove the line, and its query is asked again; or choose another folder."
    )
