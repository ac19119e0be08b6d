"""The frozen parts that all rows share, out of the bundled miniature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from flamingo.foundation.errors import CheckpointError
from flamingo.inference.model_names import find_model
from flamingo.model.checkpoints.vision import save_vision_encoder
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.ablations.arms import Arms
from flamingo.training.export import write_folder


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
        encoder = flamingo.vision_encoder
        write_folder(arms.part("vision"), lambda folder: save_vision_encoder(encoder, folder))
    if "language" in wanted:
        tokenizer = AutoTokenizer.from_pretrained(source)

        def save(folder: Path) -> None:
            flamingo.language_model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)

        write_folder(arms.part("language"), save)
