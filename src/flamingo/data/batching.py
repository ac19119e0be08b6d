"""From encoded sequences of any length and number of visuals to one batch of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from flamingo.data.encoding import Encoded
from flamingo.data.features import VisualFeatures, stack_features
from flamingo.foundation.errors import DataError
from flamingo.sequence import Visual

PaddingSide = Literal["left", "right"]
IGNORED = -100
"""The label of a token whose prediction does not count."""


@dataclass(frozen=True)
class Batch:
    """What the model takes, row by row; a batch without visuals has no pixels.

    Args:
        input_ids: token ids.
        attention_mask: 1 for a token, 0 for padding.
        visual_index: φ: which of the row's visuals a token may look at, from 1; 0 for none.
        labels: the token ids where their prediction counts, else -100.
        loss_weights: how much each token's prediction counts.
        pixel_values: normalized pixels, 0 where there is no frame.
        frame_mask: whether there is a frame; a visual that only fills up has none.
        visual_features: instead of pixels, what the frozen encoder makes of them.
    """

    input_ids: Int[Tensor, "batch tokens"]
    attention_mask: Int[Tensor, "batch tokens"]
    visual_index: Int[Tensor, "batch tokens"]
    labels: Int[Tensor, "batch tokens"]
    loss_weights: Float[Tensor, "batch tokens"]
    pixel_values: Float[Tensor, "batch visuals frames 3 height width"] | None = None
    frame_mask: Bool[Tensor, "batch visuals frames"] | None = None
    visual_features: Float[Tensor, "batch visuals frames positions channels"] | None = None

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Batch:
        """The same batch on another device."""
        moved = {
            field.name: value.to(device, non_blocking=non_blocking)
            for field in fields(self)
            if (value := getattr(self, field.name)) is not None
        }
        return replace(self, **moved)

    def pin_memory(self) -> Batch:
        """The same batch in memory that a GPU copies from quickly; PyTorch's loader asks."""
        pinned = {
            field.name: value.pin_memory()
            for field in fields(self)
            if (value := getattr(self, field.name)) is not None
        }
        return replace(self, **pinned)

    def model_inputs(self) -> dict[str, Tensor]:
        """The inputs of a forward pass or of `generate`, by the model's names."""
        inputs = {
            "input_ids": self.input_ids,
            "attention_mask": self.attention_mask,
            "visual_index": self.visual_index,
        }
        visual = {
            "pixel_values": self.pixel_values,
            "visual_features": self.visual_features,
            "frame_mask": self.frame_mask,
        }
        return inputs | {name: value for name, value in visual.items() if value is not None}


def collate(
    sequences: Sequence[Encoded],
    transform: Callable[[Visual], Tensor],
    pad_id: int,
    padding_side: PaddingSide = "right",
) -> Batch:
    """Pads sequences to one batch: on the right to train, on the left to generate.

    Args:
        sequences: at least one.
        transform: from a visual to its normalized frames `[frames, 3, height, width]`.
        pad_id: the token that fills up rows.
        padding_side: where rows are filled up.

    Raises:
        DataError: there are no sequences, or some visuals are pictures and others features.
    """
    if not sequences:
        raise DataError("a batch of 0 sequences was asked for.\nGive at least one sequence.")
    length = max(len(sequence) for sequence in sequences)

    def padded(rows: list[list[int]] | list[list[float]], fill: int | float) -> Tensor:
        return torch.tensor([_padded(row, length, fill, padding_side) for row in rows])

    input_ids = padded([s.token_ids for s in sequences], pad_id)
    loss_weights = padded([s.loss_weights for s in sequences], 0.0)
    pixel_values, visual_features, frame_mask = _stacked(sequences, transform)
    return Batch(
        input_ids=input_ids,
        attention_mask=padded([[1] * len(s) for s in sequences], 0),
        visual_index=padded([s.visual_index for s in sequences], 0),
        labels=input_ids.masked_fill(loss_weights == 0, IGNORED),
        loss_weights=loss_weights,
        pixel_values=pixel_values,
        frame_mask=frame_mask,
        visual_features=visual_features,
    )


def _stacked(
    sequences: Sequence[Encoded], transform: Callable[[Visual], Tensor]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """The pixels or the features of all visuals, and where they have frames."""
    features = [
        [visual for visual in sequence.visuals if isinstance(visual, VisualFeatures)]
        for sequence in sequences
    ]
    pictures = [
        [visual for visual in sequence.visuals if not isinstance(visual, VisualFeatures)]
        for sequence in sequences
    ]
    num_features = sum(map(len, features))
    if not num_features:
        pixel_values, frame_mask = stack_visuals(pictures, transform)
        return pixel_values, None, frame_mask
    if num_pictures := sum(map(len, pictures)):
        raise DataError(
            f"one batch has {num_pictures} visuals as pictures and {num_features} as precomputed "
            "features.\nA batch holds either: keep the two kinds in data sets of their own."
        )
    visual_features, frame_mask = stack_features(features)
    return None, visual_features, frame_mask


def stack_visuals(
    rows: Sequence[Sequence[Visual]], transform: Callable[[Visual], Tensor]
) -> tuple[
    Float[Tensor, "batch visuals frames 3 height width"] | None,
    Bool[Tensor, "batch visuals frames"] | None,
]:
    """The pixels of all rows' visuals and where they have frames; none if there is no visual."""
    seen = {id(visual): visual for row in rows for visual in row}
    if not seen:
        return None, None
    # A visual that stands in several rows, as supports often do, is transformed once.
    frames = {key: transform(visual) for key, visual in seen.items()}
    example = next(iter(frames.values()))
    num_visuals = max(len(row) for row in rows)
    num_frames = max(len(pixels) for pixels in frames.values())
    stacked = example.new_zeros(len(rows), num_visuals, num_frames, *example.shape[1:])
    mask = torch.zeros(len(rows), num_visuals, num_frames, dtype=torch.bool)
    for i, row in enumerate(rows):
        for j, visual in enumerate(row):
            pixels = frames[id(visual)]
            stacked[i, j, : len(pixels)] = pixels
            mask[i, j, : len(pixels)] = True
    return stacked, mask


def _padded(
    row: Sequence[int | float], length: int, fill: int | float, padding_side: PaddingSide
) -> list[int | float]:
    padding = [fill] * (length - len(row))
    return [*padding, *row] if padding_side == "left" else [*row, *padding]
