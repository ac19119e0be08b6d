"""A full checkpoint of ours, read part by part: so that its language model can be placed apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import GenerationConfig, PreTrainedModel

from flamingo.model.checkpoints.placing import load_language_model
from flamingo.model.checkpoints.released_checkpoint import ReleasedCheckpoint
from flamingo.model.checkpoints.tensor_files import TensorFiles, located
from flamingo.model.checkpoints.translation import Checked, Source
from flamingo.model.config import FlamingoConfig


class FullCheckpoint(ReleasedCheckpoint):
    """What `save_pretrained(full=True)` or `flamingo convert` wrote.

    Args:
        source: a folder or a hub name.
        config: its settings.

    Raises:
        CheckpointError: a file is missing or damaged.
    """

    def __init__(self, source: str | Path, config: FlamingoConfig) -> None:
        super().__init__(str(source), config, suppressed=(), stops=(), pad=None)
        self.files = TensorFiles.open(source)
        if located(source, "generation_config.json") is not None:
            self.generation_config = GenerationConfig.from_pretrained(str(source))

    def source_of(self, name: str) -> Source:
        """Under its own name."""
        return Source(self.files, name)

    def checked(self) -> list[Checked]:
        """Its files, all of which is for us."""
        return [Checked(self.source, self.files)]

    def load_language_model(self, **options: Any) -> PreTrainedModel:
        """Its language model."""
        return load_language_model(
            self.source,
            config=self.config.text_config,
            key_mapping={r"^language_model\.": ""},
            **options,
        )
