"""The predictions of an evaluation on disk: added to as they come, and read again to go on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flamingo.evaluation.json_file import read_json
from flamingo.evaluation.runner import Prediction
from flamingo.evaluation.sweep import Place
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.records import json_text, to_plain, write_text_atomically

PREDICTIONS, SETTINGS = "predictions.jsonl", "settings.json"
NOT_WRITTEN_ANEW = "Without it nobody can tell what was asked. Choose another folder."
"""What a user may do when the settings are damaged."""


class Journal:
    """Which queries were answered, and how. Each line of the file is one prediction.

    Args:
        folder: of the evaluation.
        settings: what all answers in one folder have in common; a value may be a mapping, to which
            later runs add entries.

    Raises:
        ConfigError: the folder holds an evaluation with other settings.
        DataError: its settings or its predictions are damaged.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.path = folder / PREDICTIONS
        folder.mkdir(parents=True, exist_ok=True)
        _keep_settings(folder, to_plain(settings))
        self.is_right: dict[Place, bool] = _read(self.path)

    def add(self, predictions: Sequence[Prediction]) -> None:
        """Writes predictions behind all others; they are on disk when this returns."""
        lines = (json.dumps(to_plain(one), ensure_ascii=False) + "\n" for one in predictions)
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write("".join(lines))
        for one in predictions:
            self.is_right[one.task, one.shots, one.control, one.index] = one.is_right


def _keep_settings(folder: Path, now: Mapping[str, Any]) -> None:
    path = folder / SETTINGS
    then = read_json(path, dict, NOT_WRITTEN_ANEW) if path.exists() else None
    if then is None and (folder / PREDICTIONS).exists():
        raise ConfigError(
            f"{folder} holds {PREDICTIONS} but no {SETTINGS}, so nobody can tell what was asked.\n"
            "Choose another folder."
        )
    changes = _changes(then or {}, now)
    if changes:
        raise ConfigError(
            f"{folder} holds an evaluation with other settings: {'; '.join(changes)}.\n"
            "Give the settings of that one to go on with it, or choose another folder."
        )
    write_text_atomically(path, json_text(_merged(then or {}, now)))


def _changes(then: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What differs; inside of mappings only where nothing else does, as all follows from that."""
    shared = sorted(then.keys() & now.keys())
    nested = [name for name in shared if isinstance(now[name], Mapping)]
    changes = [
        f"{prefix}{name} was {then[name]!r}, is now {now[name]!r}"
        for name in shared
        if name not in nested and then[name] != now[name]
    ]
    return changes or [
        change for name in nested for change in _changes(then[name], now[name], f"{name} of ")
    ]


def _merged(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        name: _merged(then[name], value) if isinstance(value, Mapping) else value
        for name, value in now.items()
        if name in then
    }
    return {**then, **now, **both}


def _read(path: Path) -> dict[Place, bool]:
    """What was answered. A line that a killed run left unfinished is taken away."""
    if not path.exists():
        return {}
    whole = path.read_bytes()
    complete = whole[: whole.rfind(b"\n") + 1]
    if len(complete) < len(whole):
        with path.open("r+b") as file:
            file.truncate(len(complete))
    found: dict[Place, bool] = {}
    for number, line in enumerate(complete.splitlines(), start=1):
        try:
            record = json.loads(line)
            place = (record["task"], record["shots"], record["control"], record["index"])
            found[place] = record["is_right"]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"Line {number} of {path} is not a prediction: {error!r}.\n"
                "Remove the line, and its query is asked again; or choose another folder."
            ) from error
    return found
