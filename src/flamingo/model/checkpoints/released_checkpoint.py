"""What all checkpoints of other projects have in common, once their settings are ours."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel

from flamingo.model.checkpoints.translation import (
    Checked,
    Source,
    Translation,
    check_translation,
)
from flamingo.model.config import FlamingoConfig
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder


class ReleasedCheckpoint(ABC):
    """A checkpoint of another project, of which nothing but settings and shapes is read so far.

    Args:
        source: what the user calls it.
        config: our settings of it.
        suppressed: tokens that it is never to say.
        stops: tokens that end what it says.
        pad: the token that fills up rows.
    """

    def __init__(
        self,
        source: str,
        config: FlamingoConfig,
        *,
        suppressed: Sequence[int],
        stops: Sequence[int],
        pad: int | None,
    ) -> None:
        self.source = source
        self.config = config
        self.generation_config = GenerationConfig(
            eos_token_id=list(stops), pad_token_id=pad, suppress_tokens=list(suppressed)
        )

    @abstractmethod
    def source_of(self, name: str) -> Source:
        """Where a tensor of ours comes from.

        Raises:
            CheckpointError: the other project has no such part.
        """

    @abstractmethod
    def checked(self) -> list[Checked]:
        """All files that tensors come from, and what in them is not for us."""

    @abstractmethod
    def load_language_model(self, **options: Any) -> PreTrainedModel:
        """The frozen language model, see `placing.load_language_model`.

        Raises:
            CheckpointError: a weight is missing.
        """

    def load_vision_encoder(self, dtype: torch.dtype | None = None) -> VisionEncoder:
        """The frozen vision encoder.

        Args:
            dtype: of its weights; that of the files by default.

        Raises:
            CheckpointError: a weight is missing.
        """
        config = self.config
        assert config.vision_config is not None
        encoder = build_vision_encoder(config.vision_config, **config.vision_settings)
        for name, tensor in encoder.state_dict(keep_vars=True).items():
            given = self.source_of(f"vision_encoder.{name}").read()
            tensor.data = given.to(dtype or given.dtype, copy=True)
        return encoder

    def identity(self) -> str:
        """What it is made of, file by file; equal where nothing has changed."""
        return "; ".join(f"{one.source}: {one.files.identity()}" for one in self.checked())

    def translation(self, shapes: Mapping[str, tuple[int, ...]]) -> Translation:
        """Where each tensor of ours comes from.

        Args:
            shapes: of all tensors of our model.

        Raises:
            CheckpointError: names what is missing, unknown or of another shape.
        """
        found = {name: self.source_of(name) for name in shapes}
        check_translation(found, shapes, self.checked())
        return found
