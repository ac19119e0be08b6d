"""Where the numbers of a run can be drawn while it goes on: TensorBoard, if it is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from flamingo.foundation.errors import ConfigError

Curves = Callable[[int, Mapping[str, float]], None]
"""Takes the numbers of a step."""


def no_curves(_step: int, _values: Mapping[str, float]) -> None:
    """Draws nothing."""


def tensorboard(folder: Path, first_step: int) -> Curves:
    """Curves for TensorBoard; those of steps that will be made again are forgotten.

    Raises:
        ConfigError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter  # heavy, and optional
    except ImportError as error:
        raise ConfigError(
            "training.tensorboard needs TensorBoard, which is not installed.\n"
            'Install it with `pip install "flamingo-vlm[track]"`, or leave the setting out: '
            "log.jsonl has the same numbers."
        ) from error
    writer = SummaryWriter(str(folder), purge_step=first_step + 1)

    def write(step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            writer.add_scalar(name, value, step)
        writer.flush()

    return write
