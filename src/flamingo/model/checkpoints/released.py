"""Finds out whose checkpoint lies somewhere: OpenFlamingo's, IDEFICS', or one of ours."""

from __future__ import annotations

from pathlib import Path

from transformers import PreTrainedModel

from flamingo.foundation.errors import CheckpointError
from flamingo.model.checkpoints import idefics, open_flamingo
from flamingo.model.checkpoints.released_checkpoint import ReleasedCheckpoint
from flamingo.model.checkpoints.tensor_files import json_of, located
from flamingo.model.vision_encoder import VisionEncoder


def released_checkpoint(
    source: str | Path,
    *,
    language_model: str | Path | PreTrainedModel | None = None,
    vision_encoder: str | Path | VisionEncoder | None = None,
) -> ReleasedCheckpoint | None:
    """The checkpoint at `source`, if it is one of another project; `None` if it is of ours.

    Args:
        source: a folder or a hub name.
        language_model: of an OpenFlamingo, where it is not the one that was released with it.
        vision_encoder: the same.

    Raises:
        CheckpointError: it is incomplete, does not say what it is made of, or is given a part that
            it brings itself.
    """
    if is_open_flamingo(source):
        return open_flamingo.OpenFlamingoCheckpoint(source, language_model, vision_encoder)
    config = located(source, "config.json")
    if config is None:
        return None
    settings = json_of(config)
    if isinstance(settings, dict) and settings.get("model_type") == idefics.MODEL_TYPE:
        refuse_parts(source, language_model, vision_encoder)
        return idefics.IdeficsCheckpoint(source, settings)
    return None


def refuse_parts(source: str | Path, language_model: object, vision_encoder: object) -> None:
    """Refuses frozen parts that are given for a checkpoint that brings its own.

    Raises:
        CheckpointError: there is one.
    """
    parts = {"language_model": language_model, "vision_encoder": vision_encoder}
    if given := [name for name, part in parts.items() if part is not None]:
        raise CheckpointError(
            f"{source} holds all of its parts, so {' and '.join(given)} would have no effect.\n"
            "They are for an OpenFlamingo, or for a checkpoint of trained parts. Leave them out."
        )


def is_open_flamingo(source: str | Path) -> bool:
    """Whether `source` is a checkpoint of OpenFlamingo: one file, and no settings.

    Raises:
        CheckpointError: it is neither a folder nor a name that a hub knows.
    """
    if not Path(source).is_dir() and Path(source).name in open_flamingo.RELEASED:
        return True
    if located(source, "config.json") is not None:
        return False
    return located(source, open_flamingo.WEIGHTS) is not None
