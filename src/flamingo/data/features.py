"""What a frozen vision encoder said of a visual, kept as bytes so that it need not look again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from flamingo.foundation.errors import DataError

SUFFIX = ".features"
"""How the name of a file, or of a member of a shard, ends."""

_NAME = "features"


@dataclass(frozen=True, eq=False)
class VisualFeatures:
    """The features of one image or one video: it stands for the visual wherever it is batched.

    Args:
        values: of every position of every frame, as the encoder gave them.

    Raises:
        DataError: there is no frame, no position or no channel.
    """

    values: Float[Tensor, "frames positions dim"]

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or 0 in self.values.shape:
            raise DataError(
                f"features have the shape {list(self.values.shape)}, expected "
                "[frames, positions, dim] with at least one of each."
            )

    @property
    def num_frames(self) -> int:
        """How many frames there are; 1 for an image."""
        return int(self.values.shape[0])

    @property
    def is_video(self) -> bool:
        """Whether there is more than one frame."""
        return self.num_frames > 1


def features_to_bytes(features: VisualFeatures) -> bytes:
    """The features as the bytes of a safetensors file; their number format is kept."""
    return save({_NAME: features.values.detach().contiguous().cpu()})


def features_from_bytes(content: bytes) -> VisualFeatures:
    """Reads what `features_to_bytes` wrote.

    Raises:
        DataError: the bytes are damaged, or hold something else.
    """
    try:
        tensors = load(content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise DataError(
            f"{len(content)} bytes of features cannot be read: {error}.\n"
            "They are damaged or incomplete; compute them again with `flamingo features`."
        ) from error
    if set(tensors) != {_NAME} or not tensors[_NAME].is_floating_point():
        raise DataError(
            f"a file of features holds {sorted(tensors)}, expected one tensor of floating-point "
            f"numbers called {_NAME!r}, as `features_to_bytes` writes it."
        )
    return VisualFeatures(tensors[_NAME])


def stack_features(
    rows: Sequence[Sequence[VisualFeatures]],
) -> tuple[
    Float[Tensor, "batch visuals frames positions dim"],
    Bool[Tensor, "batch visuals frames"],
]:
    """The features of all rows' visuals, of which there is at least one, and where frames are.

    Raises:
        DataError: they come from different encoders or resolutions.
    """
    features = [visual.values for row in rows for visual in row]
    kinds = {(*values.shape[1:], values.dtype) for values in features}
    if len(kinds) > 1:
        found = "; ".join(
            f"{positions} positions of width {dim} in {str(dtype).removeprefix('torch.')}"
            for positions, dim, dtype in sorted(kinds, key=str)
        )
        raise DataError(
            f"features of different shapes or formats cannot be one batch: {found}.\n"
            "They were computed with different encoders or settings. Compute them all with one."
        )
    num_visuals = max(len(row) for row in rows)
    num_frames = max(len(values) for values in features)
    shape = (len(rows), num_visuals, num_frames)
    stacked = features[0].new_zeros(*shape, *features[0].shape[1:])
    mask = torch.zeros(shape, dtype=torch.bool)
    for i, row in enumerate(rows):
        for j, visual in enumerate(row):
            stacked[i, j, : visual.num_frames] = visual.values
            mask[i, j, : visual.num_frames] = True
    return stacked, mask
