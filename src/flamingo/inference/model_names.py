"""From what a user calls a model to the place of its files."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from flamingo.foundation.errors import CheckpointError, nearest
from flamingo.model.checkpoints.released import is_open_flamingo

BUNDLED = {"miniature": "miniature/weights"}
"""Models that come with the package, and where they lie in it."""


def find_model(name: str | Path) -> str:
    """The folder of a bundled or a local model, or the name of one on a hub.

    Raises:
        CheckpointError: there is no such model; the message lists the bundled ones.
    """
    if str(name) in BUNDLED:
        bundled = Path(str(files("flamingo").joinpath(BUNDLED[str(name)])))
        if not (bundled / "config.json").is_file():
            raise CheckpointError(
                f"The bundled model {str(name)!r} is not in this installation: {bundled} is "
                "missing. Install the package again, or clone the whole repository."
            )
        return str(bundled)
    path = Path(name)
    if path.is_dir():
        if (exported := model_in_run(path)) is not None:
            raise CheckpointError(f"{path} is the folder of a run. Its model is in it: {exported}")
        if not (path / "config.json").is_file() and not is_open_flamingo(path):
            raise CheckpointError(
                f"The folder {path} holds no config.json, so it is not a saved model. "
                f"It holds: {', '.join(sorted(p.name for p in path.iterdir())[:8]) or '(nothing)'}."
            )
        return str(path)
    parts = str(name).split("/")
    if len(parts) == 2 and all(parts) and not str(name).startswith((".", "~")):
        return str(name)
    raise CheckpointError(
        f"There is no model {str(name)!r}: it is not bundled, not a folder, and not a hub name "
        f"of the form owner/name.\n{nearest(str(name), BUNDLED)} Or give the path of a folder "
        "that save_pretrained wrote."
    )


def model_in_run(folder: Path) -> Path | None:
    """The model that a run left in this folder; None if it is a model itself, or of no run."""
    exported = folder / "model"
    is_run = (exported / "config.json").is_file() and not (folder / "config.json").is_file()
    return exported if is_run else None
