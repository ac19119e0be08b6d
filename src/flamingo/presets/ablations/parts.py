"""The frozen parts that all rows share, out of the bundled miniature."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from flamingo.foundation.errors import CheckpointError
from flamingo.inference.model_names import find_model
from flamingo.model.checkpoints.vision import save_vision_encoder
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.ablations.arms import Arms


def write_parts(arms: Arms, model: str = "miniature") -> None:
    """Writes the parts that are not given as folders and not there yet.

    Args:
        arms: knows where the parts belong.
        model: a Flamingo to take them out of.

    Raises:
        CheckpointError: the model is missing, or a folder that was given holds none.
    """
    wanted = []
    for name in ("vision", "language"):
        folder = arms.part(name)
        if getattr(arms.config, name) is None:
            wanted += [] if folder.is_dir() else [name]
        elif not (folder / "config.json").is_file():
            raise CheckpointError(
                f"--{name} {folder} is not a folder with a saved model: it has no config.json.\n"
                f"Give what the {name} stage left, such as runs/miniature-{name}/model, or leave "
                "it out to take the bundled miniature's."
            )
    if not wanted:
        return
    source = find_model(model)
    flamingo: Any = FlamingoForConditionalGeneration.from_pretrained(source).float()
    if "vision" in wanted:
        _whole(arms.part("vision"), lambda to: save_vision_encoder(flamingo.vision_encoder, to))
    if "language" in wanted:
        tokenizer = AutoTokenizer.from_pretrained(source)

        def save(folder: Path) -> None:
            flamingo.language_model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)

        _whole(arms.part("language"), save)


def _whole(folder: Path, write: Callable[[Path], None]) -> None:
    """A folder that is there whole or not at all."""
    temporary = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    write(temporary)
    os.replace(temporary, folder)
