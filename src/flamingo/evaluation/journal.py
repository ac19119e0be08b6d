"""The predictions of an evaluation on disk: added to as they come, and read again to go on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flamingo.evaluation.json_file import read_json
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.prediction import Place, Prediction
from flamingo.evaluation.prediction_files import (
    drop_unfinished_line,
    own_file,
    prediction_files,
    read_outcomes,
)
from flamingo.foundation.errors import ConfigError
from flamingo.foundation.records import json_text, to_plain, write_text_atomically

SETTINGS = "settings.json"
NOT_WRITTEN_ANEW = "Without it nobody can tell what was asked. Choose another folder."
"""What a user may do when the settings are damaged."""


class Journal:
    """Which queries were answered, and how. Each line of the file is one prediction.

    Args:
        folder: of the evaluation.
        settings: what all answers in one folder have in common; a value may be a mapping, to which
            later runs add entries.
        rank: which of several processes this is that divide an evaluation; each writes a file.

    Raises:
        ConfigError: the folder holds an evaluation with other settings.
        DataError: its settings or its predictions are damaged.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], rank: int = 0) -> None:
        self.folder, self.path = folder, own_file(folder, rank)
        folder.mkdir(parents=True, exist_ok=True)
        _keep_settings(folder, to_plain(settings))
        drop_unfinished_line(self.path)
        self.outcomes: dict[Place, Outcome] = {}
        self.read()

    def read(self) -> None:
        """Takes in what all processes have written."""
        self.outcomes.update(read_outcomes(self.folder))

    def add(self, predictions: Sequence[Prediction]) -> None:
        """Writes predictions behind all others; they are on disk when this returns."""
        lines = (json.dumps(to_plain(one), ensure_ascii=False) + "\n" for one in predictions)
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write("".join(lines))
            file.flush()
            os.fsync(file.fileno())
        self.outcomes.update({one.place: one.outcome for one in predictions})


def _keep_settings(folder: Path, now: Mapping[str, Any]) -> None:
    path = folder / SETTINGS
    then = read_json(path, dict, NOT_WRITTEN_ANEW) if path.exists() else None
    if then is None and (found := prediction_files(folder)):
        raise ConfigError(
            f"{folder} holds {found[0].name} but no {SETTINGS}, so nobody can tell what was "
            "asked.\nChoose another folder."
        )
    changes = _changes(then or {}, now)
    if changes:
        raise ConfigError(
            f"{folder} holds an evaluation with other settings: {'; '.join(changes)}.\n"
            "Give the settings of that one to go on with it, or choose another folder."
        )
    write_text_atomically(path, json_text(_merged(then or {}, now)))


def _changes(then: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What differs; inside of a mapping only where nothing before it does, of which it follows."""
    shared = sorted(then.keys() & now.keys())
    nested = [name for name in shared if isinstance(now[name], Mapping)]
    changes = [
        f"{prefix}{name} was {then[name]!r}, is now {now[name]!r}"
        for name in shared
        if name not in nested and then[name] != now[name]
    ]
    # How tasks were opened before what follows from it, which is but a hash.
    for name in sorted(nested, key=lambda name: name != "sources"):
        changes = changes or _changes(then[name], now[name], f"{name} of ")
    return changes


def _merged(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        name: _merged(then[name], value) if isinstance(value, Mapping) else value
        for name, value in now.items()
        if name in then
    }
    return {**then, **now, **both}
