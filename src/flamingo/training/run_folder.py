"""The folder of a run: what was asked for, with what versions, and whether it is the same run."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from flamingo.foundation.errors import ConfigError
from flamingo.foundation.records import (
    json_text,
    read_yaml,
    to_plain,
    write_text_atomically,
    yaml_text,
)
from flamingo.training.config import RESUMABLE_CHANGES

RECIPE, VERSIONS, DATA = "recipe.yaml", "versions.json", "data.json"
_PACKAGES = ("flamingo-vlm", "torch", "torchvision", "timm", "transformers", "numpy")
_ABSENT = "(absent)"


def open_run_folder(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Creates a run's folder, or makes sure that it belongs to this very recipe.

    Raises:
        ConfigError: the folder holds a run with other settings.
    """
    recipe = to_plain(recipe)
    path = folder / RECIPE
    if path.exists():
        _check_same(folder, read_yaml(path), recipe)
    folder.mkdir(parents=True, exist_ok=True)
    write_text_atomically(path, yaml_text(recipe))
    write_text_atomically(folder / VERSIONS, json_text(versions()))


def check_data(folder: Path, sources: Sequence[Any]) -> None:
    """Notes which data a run learns from, or makes sure that it is still the same.

    Only sources that say what they are made of, by a `fingerprint`, can be checked.

    Raises:
        ConfigError: a source has other samples than when the run began.
    """
    now = {s.name: s.fingerprint for s in sources if getattr(s, "fingerprint", None)}
    path = folder / DATA
    then = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    changed = sorted(name for name in now.keys() & then.keys() if now[name] != then[name])
    if changed:
        raise ConfigError(
            f"The data of {', '.join(map(repr, changed))} are not those that the run in {folder} "
            f"began with: shards or samples were added, removed or renamed, so it would not be "
            f"the same run.\nPut them back, or train into another folder."
        )
    write_text_atomically(path, json_text({**then, **now}))


def versions() -> dict[str, str | None]:
    """What a run depends on besides its recipe."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    found["git_commit"] = _git_commit()
    return found


def _git_commit() -> str | None:
    """The commit of the source tree, with "+" where files differ from it; None outside of git."""
    here = str(Path(__file__).parent)
    command = ["git", "-C", here, "describe", "--always", "--abbrev=40", "--dirty=+"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _check_same(folder: Path, old: Any, new: Mapping[str, Any]) -> None:
    allowed = {f"training.{name}" for name in RESUMABLE_CHANGES}
    changes = [change for change in _differences(old, new, "") if change[0] not in allowed]
    if changes:
        told = "; ".join(f"{name} was {before!r}, is now {now!r}" for name, before, now in changes)
        raise ConfigError(
            f"{folder} holds a run with other settings: {told}. "
            f"Give the settings of that run to continue it, or choose another folder."
        )


def _differences(old: Any, new: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            name = f"{path}.{key}" if path else str(key)
            yield from _differences(old.get(key, _ABSENT), new.get(key, _ABSENT), name)
    elif old != new:
        yield path, old, new
