"""From padded pixels to visual tokens: each real frame is encoded once, and padding never."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from flamingo.foundation.errors import SequenceError


def encode_visuals(
    pixel_values: Float[Tensor, "batch visuals frames 3 height width"],
    frame_mask: Bool[Tensor, "batch visuals frames"] | None,
    *,
    encoder: nn.Module,
    resampler: nn.Module,
    widen: nn.Module,
    is_encoder_frozen: bool,
) -> Float[Tensor, "batch visuals latents dim"]:
    """Encodes and resamples all visuals of a batch; zeros where a visual has no real frame.

    Visuals with the same number of frames go through the resampler together, so that padding
    never enters an attention and a visual's tokens do not depend on the rest of the batch.

    Raises:
        SequenceError: the real frames of a visual do not come first.
    """
    batch, visuals, frames = pixel_values.shape[:3]
    pixels = pixel_values.flatten(0, 1)
    if frame_mask is None:
        mask = torch.ones(batch * visuals, frames, dtype=torch.bool, device=pixels.device)
    else:
        mask = frame_mask.flatten(0, 1)
    counts = mask.sum(1)
    if not torch.equal(mask, torch.arange(frames, device=mask.device) < counts[:, None]):
        raise SequenceError(
            "frame_mask marks a padded frame before a real one. "
            "Put the real frames of a visual first and padding behind them."
        )
    dtype = next(encoder.parameters()).dtype
    with torch.set_grad_enabled(torch.is_grad_enabled() and not is_encoder_frozen):
        features = encoder(pixels[mask].to(dtype))
    owners = torch.arange(len(mask), device=mask.device).repeat_interleave(counts)
    tokens: Tensor | None = None
    for count in counts.unique().tolist():
        if count == 0:
            continue
        members = (counts == count).nonzero()[:, 0]
        group = features[torch.isin(owners, members)].unflatten(0, (len(members), count))
        resampled = widen(resampler(group.to(next(resampler.parameters()).dtype)))
        if tokens is None:
            tokens = resampled.new_zeros(len(mask), *resampled.shape[1:])
        tokens = tokens.index_copy(0, members, resampled.to(tokens.dtype))
    if tokens is None:
        raise SequenceError(
            "pixel_values were given, but frame_mask says that no frame is real. "
            "For text alone, leave pixel_values out."
        )
    return tokens.unflatten(0, (batch, visuals))


def check_index(
    visual_tokens: Tensor | None, visual_index: Tensor | None, inputs_embeds: Tensor
) -> None:
    """Visuals without φ are never seen, silently; φ of another length is a mistake."""
    if visual_tokens is not None and visual_index is None:
        raise SequenceError(
            f"{visual_tokens.shape[1]} visuals per row were given without visual_index, so no "
            "token would see them.\nThe processor returns visual_index (the paper's φ: per token "
            "the visual it sees); pass it on with input_ids."
        )
    if visual_index is not None and visual_index.shape[1] != inputs_embeds.shape[1]:
        raise SequenceError(
            f"visual_index has {visual_index.shape[1]} positions, but there are "
            f"{inputs_embeds.shape[1]} tokens. It needs one number per token."
        )


def check_range(visual_index: Tensor, num_visuals: int) -> None:
    """Refuses a φ that points to no visual; one new token repeats what was checked before it.

    Raises:
        SequenceError: φ is negative, or larger than the number of visuals so far.
    """
    if visual_index.is_meta or visual_index.shape[1] < 2:
        return
    low, high = (int(end) for end in visual_index.aminmax())
    if low < 0 or high > num_visuals:
        raise SequenceError(
            f"visual_index counts from {low} up to {high}, but there are {num_visuals} visuals per "
            "row.\nIt is the number of the visual that a token sees, from 1, and 0 for none. "
            "Give the pixels of all visuals that the text speaks of."
        )
