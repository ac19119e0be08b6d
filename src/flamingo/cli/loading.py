"""How a verb loads the model that answers: number format, int8, where visual tokens are kept."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    """

    dtype: str = "fast"
    int8: bool = False
    visual_cache: Path | None = None
    device: str | None = None

    @classmethod
    def of(cls, args: argparse.Namespace, device: str | None = None) -> Loading:
        """As the options say that `add_loading_options` adds."""
        return cls(args.dtype, args.int8, args.visual_cache, device)

    def told(self) -> dict[str, str | bool]:
        """What decides the weights that answer, for who loads them again."""
        return {"dtype": self.dtype, "int8": self.int8}

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
        )


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
