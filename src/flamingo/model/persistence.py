"""Saving and loading a whole Flamingo: everything, or the trained parts and names for the rest."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import PreTrainedModel

from flamingo.foundation.errors import CheckpointError
from flamingo.model.checkpoints.assembly import assembled
from flamingo.model.checkpoints.full import FullCheckpoint
from flamingo.model.checkpoints.placing import OPTIONS, load_language_model
from flamingo.model.checkpoints.released import refuse_parts, released_checkpoint
from flamingo.model.checkpoints.released_checkpoint import ReleasedCheckpoint
from flamingo.model.checkpoints.trained_parts import load_trained, save_trained
from flamingo.model.checkpoints.vision import load_vision_encoder
from flamingo.model.int8_linear import Int8Linear
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
            CheckpointError: trained parts only are asked for, but nothing is trained, or they are
                not enough.

        Warns:
            UserWarning: the checkpoint will not say where its frozen parts are.
        """
        folder = Path(save_directory)
        if full:
            if any(isinstance(module, Int8Linear) for module in self.modules()):
                raise CheckpointError(
                    "The language model is kept in int8, which a checkpoint does not hold.\n"
                    "Save the model before quantize_language_model, or its trained parts alone "
                    "(full=False)."
                )
            self.config.contents = "everything"
            super().save_pretrained(folder, **kwargs)
            return
        if not any(parameter.requires_grad for parameter in self.parameters()):
            raise CheckpointError(
                "No parameter is trained, so a checkpoint of trained parts would be empty. "
                "Use save_pretrained(..., full=True)."
            )
        if kwargs:
            raise CheckpointError(
                f"The arguments {', '.join(sorted(kwargs))} are for save_pretrained(full=True)."
            )
        if self.config.has_changed_table:
            raise CheckpointError(
                "The language model has the embeddings of the checkpoint that it was loaded from, "
                f"and not those at {self.config.language_model_source}, so its trained parts alone "
                "would be read back as another model.\nUse save_pretrained(..., full=True)."
            )
        if self.config.language_model_source is None or self.config.vision_encoder_source is None:
            warnings.warn(
                "The checkpoint will hold trained parts only, and the configuration does not say "
                "where the frozen ones are: loading it will need language_model=... and "
                "vision_encoder=..., or use save_pretrained(..., full=True).",
                stacklevel=2,
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
        language_model: PreTrainedModel | str | Path | None = None,
        vision_encoder: VisionEncoder | str | Path | None = None,
        **kwargs: Any,
    ) -> Model:
        """Loads a model that `save_pretrained` wrote, or one that OpenFlamingo or IDEFICS released.

        Args:
            pretrained_model_name_or_path: the folder, or a name on a hub.
            *args: as in transformers.
            language_model: the frozen language model, or where it is, instead of its source.
            vision_encoder: the same for the vision encoder.
            **kwargs: as in transformers. `device_map`, `quantization_config` and the others of
                `checkpoints.placing.OPTIONS` are for the frozen language model.

        Raises:
            CheckpointError: weights are missing or do not fit.
        """
        folder = Path(pretrained_model_name_or_path)
        placing = {
            name: kwargs.pop(name)
            for name in OPTIONS
            if name in kwargs and kwargs[name] is not None
        }
        released = released_checkpoint(
            pretrained_model_name_or_path,
            language_model=language_model,
            vision_encoder=vision_encoder,
        )
        if released is not None:
            return cls._assembled(released, placing, kwargs)
        config = kwargs.pop("config", None) or cls.config_class.from_pretrained(
            pretrained_model_name_or_path
        )
        if config.contents == "everything":
            refuse_parts(folder, language_model, vision_encoder)
        if config.contents == "everything" and placing:
            whole = FullCheckpoint(pretrained_model_name_or_path, config)
            return cls._assembled(whole, placing, kwargs)
        if config.contents == "everything":
            wants_info = kwargs.pop("output_loading_info", False)
            model, info = super().from_pretrained(
                pretrained_model_name_or_path,
                *args,
                config=config,
                output_loading_info=True,
                **kwargs,
            )
            _refuse_gaps(pretrained_model_name_or_path, info)
            model.freeze_pretrained()
            loaded: Any = (model, info) if wants_info else model
            return loaded
        dtype = _dtype(kwargs.pop("dtype", None) or kwargs.pop("torch_dtype", None))
        if kwargs:
            raise CheckpointError(
                f"{folder} holds trained parts only; the arguments {', '.join(sorted(kwargs))} do "
                "not reach the frozen ones.\nLoad those yourself with these arguments and give "
                "them: from_pretrained(..., language_model=..., vision_encoder=...)."
            )
        if not isinstance(language_model, PreTrainedModel):
            source = _named(language_model or config.language_model_source, "language_model")
            language_model = load_language_model(source, **placing)
        if not isinstance(vision_encoder, VisionEncoder):
            source = _named(vision_encoder or config.vision_encoder_source, "vision_encoder")
            vision_encoder = load_vision_encoder(source, **config.vision_settings)
        model = cls(config, language_model=language_model, vision_encoder=vision_encoder)
        load_trained(model, folder)
        if (folder / "generation_config.json").is_file():
            model.generation_config = type(model.generation_config).from_pretrained(folder)
        if dtype is not None:
            # Parameters only: tables of positions lose their angles in 16 bits.
            for parameter in model.parameters():
                parameter.data = parameter.data.to(dtype)
        return model.eval()

    @classmethod
    def _assembled(
        cls: type[Model],
        checkpoint: ReleasedCheckpoint,
        placing: dict[str, Any],
        kwargs: dict[str, Any],
    ) -> Model:
        """The model of a checkpoint whose parts are loaded one by one."""
        if "attn_implementation" in kwargs:
            placing["attn_implementation"] = kwargs.pop("attn_implementation")
        dtype = _dtype(kwargs.pop("dtype", None) or kwargs.pop("torch_dtype", None))
        if kwargs:
            raise CheckpointError(
                f"The arguments {', '.join(sorted(kwargs))} have no effect on {checkpoint.source}, "
                f"whose parts are loaded one by one. Known: dtype, {', '.join(OPTIONS)}."
            )
        return assembled(cls, checkpoint, dtype=dtype, **placing)


def _dtype(dtype: torch.dtype | str | None) -> torch.dtype | None:
    if isinstance(dtype, str):
        return None if dtype == "auto" else getattr(torch, dtype.removeprefix("torch."))
    return dtype


def _refuse_gaps(source: str | Path, info: dict[str, Any]) -> None:
    """A model with a part of it missing would run, on random numbers."""
    missing, mismatched = sorted(info["missing_keys"]), sorted(map(str, info["mismatched_keys"]))
    if missing or mismatched:
        raise CheckpointError(
            f"{source} does not fill the model. Missing: {missing or 'none'}. Of another shape: "
            f"{mismatched or 'none'}.\nThe checkpoint is incomplete, or config.json is another's."
        )


def _named(source: str | Path | None, part: str) -> str:
    """The place of a frozen part, or an error that says how to give it."""
    if source is None:
        raise CheckpointError(
            f"The checkpoint holds trained parts only and does not say where its {part} is "
            f"({part}_source is None).\n"
            f"Give it: from_pretrained(..., {part}=...), or save the model with full=True."
        )
    return str(source)
