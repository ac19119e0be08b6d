"""How a verb loads the model that answers: number format, int8, where visual tokens are kept."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamingo.data.processor import FlamingoProcessor
    from flamingo.inference.predictor import Predictor

DTYPE_NAMES = ("fast", "steady", "fp32", "bf16", "fp16")
"""As in `foundation.devices`, which imports torch."""


@dataclass(frozen=True)
class Loading:
    """How a model is loaded; it can be pickled.

    Args:
        dtype: see `dtype_for`.
        int8: whether the frozen language model's weights are kept as 8-bit integers.
        visual_cache: a folder in which visual tokens are kept.
        device: by default a GPU where there is one.
        bits: 4 or 8 of the frozen language model's weights, kept by bitsandbytes.
        device_map: "auto" spreads the frozen language model over GPUs, memory and disk.
        offload: a folder for what is kept on disk.
        language_model: of an OpenFlamingo, where it is not the released one.
        vision_encoder: the same.
    """

    dtype: str = "fast"
    int8: bool = False
    visual_cache: Path | None = None
    device: str | None = None
    bits: int | None = None
    device_map: str | None = None
    offload: Path | None = None
    language_model: str | None = None
    vision_encoder: str | None = None

    @classmethod
    def of(cls, args: argparse.Namespace, device: str | None = None) -> Loading:
        """As the options say that `add_loading_options` adds."""
        return cls(
            args.dtype,
            args.int8,
            args.visual_cache,
            device,
            args.bits,
            args.device_map,
            args.offload,
            args.language_model,
            args.vision_encoder,
        )

    def told(self) -> dict[str, str | bool]:
        """What decides the weights that answer, for who loads them again."""
        told: dict[str, str | bool] = {"dtype": self.dtype, "int8": self.int8}
        # Only where they are given: what was asked before they existed goes on.
        further = {"bits": self.bits and str(self.bits), "language_model": self.language_model}
        further["vision_encoder"] = self.vision_encoder
        return told | {name: value for name, value in further.items() if value}

    def processor(self, model: str | Path) -> FlamingoProcessor:
        """How a model looks at pictures and is prompted, loaded without its weights.

        Raises:
            CheckpointError: there is no such model, or its processor's files are not complete.
        """
        from flamingo.data.processor import FlamingoProcessor
        from flamingo.foundation.errors import CheckpointError
        from flamingo.inference.model_names import find_model
        from flamingo.model.checkpoints.released import is_open_flamingo

        source = find_model(model)
        # For other models it says where frozen weights are, and the processor is their own.
        is_told = self.language_model is not None and is_open_flamingo(source)
        own = {"tokenizer": self.language_model} if is_told else {}
        try:
            return FlamingoProcessor.from_pretrained(source, **own)
        except (OSError, JSONDecodeError) as error:
            raise CheckpointError(
                f"The processor of the model {str(model)!r} cannot be loaded from {source}: {error}"
                "\nCheck the name, and that the folder holds the processor's files; a name on a "
                "hub needs a network."
            ) from error

    def __call__(self, model: str | Path) -> Predictor:
        """Loads a model by name.

        Raises:
            FlamingoError: there is no such model, or it cannot be kept in integers.
        """
        from flamingo.inference.predictor import Predictor
        from flamingo.inference.remembered import Budgets

        return Predictor.from_pretrained(
            model,
            device=self.device,
            dtype=self.dtype,
            int8=self.int8,
            budgets=Budgets(visual_cache=self.visual_cache),
            **self._parts(),
        )

    def _parts(self) -> dict[str, Any]:
        """What is said of the frozen parts, for the model's `from_pretrained`."""
        from flamingo.foundation.devices import pick_device
        from flamingo.foundation.errors import ConfigError
        from flamingo.inference.quantized_loading import quantization_config

        if self.int8 and self.bits is not None:
            raise ConfigError(
                f"--int8 and --bits {self.bits} are two ways of keeping the same weights. "
                "Give one: --bits on a GPU, --int8 on a CPU."
            )
        if self.offload is not None and self.device_map is None:
            raise ConfigError(
                f"--offload {self.offload} has no effect without --device-map, which says what "
                "lies where. Give --device-map auto as well."
            )
        parts: dict[str, Any] = {
            "language_model": self.language_model,
            "vision_encoder": self.vision_encoder,
            "device_map": self.device_map,
            "offload_folder": self.offload,
        }
        if self.bits is not None:
            parts["quantization_config"] = quantization_config(self.bits)
            parts["device_map"] = self.device_map or {"": str(pick_device(self.device or "auto"))}
        return {name: value for name, value in parts.items() if value is not None}


def add_loading_options(parser: argparse.ArgumentParser, dtype: str = "fast") -> None:
    """Adds `--dtype`, `--int8` and `--visual-cache`.

    Args:
        parser: of a verb.
        dtype: the default.
    """
    add_number_options(parser, dtype)
    parser.add_argument(
        "--visual-cache",
        type=Path,
        metavar="FOLDER",
        help="keep what was seen of each image and video, for later runs and other processes",
    )
    large = parser.add_argument_group(
        "large and released models",
        "--bits, --device-map and --offload need: pip install 'flamingo-vlm[large]'",
    )
    large.add_argument(
        "--bits",
        type=int,
        choices=(4, 8),
        help="keep the frozen language model's weights in so many bits (bitsandbytes)",
    )
    large.add_argument(
        "--device-map",
        metavar="auto",
        choices=("auto", "balanced", "sequential", "cpu"),
        help="auto: spread the frozen language model over all GPUs, then memory, then --offload",
    )
    large.add_argument(
        "--offload", type=Path, metavar="FOLDER", help="for the layers that fit nowhere else"
    )
    large.add_argument(
        "--language-model",
        metavar="SOURCE",
        help="of an OpenFlamingo, or a checkpoint of trained parts: a folder or a hub name, if it "
        "is not the one that the checkpoint is known to belong to",
    )
    large.add_argument("--vision-encoder", metavar="SOURCE", help="the same")


def add_number_options(parser: argparse._ActionsContainer, dtype: str = "fast") -> None:
    """Adds `--dtype` and `--int8`.

    Args:
        parser: of a verb, or a group of its options.
        dtype: the default.
    """
    parser.add_argument(
        "--dtype",
        choices=DTYPE_NAMES,
        default=dtype,
        help="number format of the weights. fast: bf16 where the hardware multiplies it, else "
        f"fp32. steady: fp32 on any CPU, bf16 on a GPU (default {dtype})",
    )
    parser.add_argument(
        "--int8",
        action="store_true",
        help="keep the frozen language model's weights as 8-bit integers: less memory, and faster "
        "words where bf16 is fast on a CPU",
    )
