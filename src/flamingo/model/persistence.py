"""Saving and loading a whole Flamingo: everything, or the trained parts and names for the rest."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, TypeVar

from transformers import AutoModelForCausalLM, PreTrainedModel

from flamingo.foundation.errors import CheckpointError
from flamingo.model.checkpoints.trained_parts import load_trained, save_trained
from flamingo.model.checkpoints.vision import load_vision_encoder
from flamingo.model.vision_encoder import VisionEncoder

Model = TypeVar("Model", bound="FlamingoPersistence")


class FlamingoPersistence(PreTrainedModel):
    """`save_pretrained` and `from_pretrained` for a model whose larger part is frozen."""

    def save_pretrained(
        self, save_directory: str | Path, *, full: bool = False, **kwargs: Any
    ) -> None:
        """Writes the model into a folder.

        Args:
            save_directory: the folder; made if it is not there.
            full: whether to write the frozen parts as well. By default only the trained parameters
                (resampler, gated layers, rows of new tokens) are written, beside the names of the
                places that the frozen parts came from.
            **kwargs: for `full=True`, those of transformers' `save_pretrained`.

        Raises:
            CheckpointError: trained parts only are asked for, but nothing is trained.
        """
        folder = Path(save_directory)
        if full:
            self.config.contents = "everything"
            super().save_pretrained(folder, **kwargs)
            return
        if not any(parameter.requires_grad for parameter in self.parameters()):
            raise CheckpointError(
                "No parameter is trained, so a checkpoint of trained parts would be empty. "
                "Use save_pretrained(..., full=True)."
            )
        folder.mkdir(parents=True, exist_ok=True)
        config = copy.deepcopy(self.config)
        config.contents = "trained"
        config.architectures = [type(self).__name__]
        config.save_pretrained(folder)
        self.generation_config.save_pretrained(folder)
        save_trained(self, folder)

    @classmethod
    def from_pretrained(
        cls: type[Model],
        pretrained_model_name_or_path: str | Path,
        *args: Any,
        language_model: PreTrainedModel | None = None,
        vision_encoder: VisionEncoder | None = None,
        **kwargs: Any,
    ) -> Model:
        """Loads a model that `save_pretrained` wrote.

        Args:
            pretrained_model_name_or_path: the folder, or a name on a hub for a full checkpoint.
            *args: as in transformers.
            language_model: the frozen language model, instead of loading it from its source.
            vision_encoder: the same for the vision encoder.
            **kwargs: as in transformers.

        Raises:
            CheckpointError: weights are missing or do not fit.
        """
        folder = Path(pretrained_model_name_or_path)
        config = kwargs.pop("config", None) or cls.config_class.from_pretrained(
            pretrained_model_name_or_path
        )
        if config.contents == "everything":
            model = super().from_pretrained(folder, *args, config=config, **kwargs)
            model.freeze_pretrained()
            return model
        dtype = kwargs.get("dtype") or kwargs.get("torch_dtype")
        if language_model is None:
            source = _named(config.language_model_source, "language_model")
            language_model = AutoModelForCausalLM.from_pretrained(source)
        if vision_encoder is None:
            source = _named(config.vision_encoder_source, "vision_encoder")
            vision_encoder = load_vision_encoder(source, **config.vision_settings)
        model = cls(config, language_model=language_model, vision_encoder=vision_encoder)
        load_trained(model, folder)
        if (folder / "generation_config.json").is_file():
            model.generation_config = type(model.generation_config).from_pretrained(folder)
        if dtype not in (None, "auto"):
            model = model.to(dtype)
        return model.eval()


def _named(source: str | None, part: str) -> str:
    """The place of a frozen part, or an error that says how to give it."""
    if source is None:
        raise CheckpointError(
            f"The checkpoint holds trained parts only and does not say where its {part} is "
            f"({part}_source is None).\n"
            f"Give it: from_pretrained(..., {part}=...), or save the model with full=True."
        )
    return source
