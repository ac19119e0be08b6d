"""From padded pixels, or features, to visual tokens: each real frame once, padding never."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from flamingo.foundation.errors import SequenceError

_AT_ONCE = 16
"""Frames, or visuals, that go through together; a few are enough for fast matrix products."""


def encode_visuals(
    pixel_values: Float[Tensor, "batch visuals frames 3 height width"] | None,
    frame_mask: Bool[Tensor, "batch visuals frames"] | None,
    visual_features: Float[Tensor, "batch visuals frames positions channels"] | None = None,
    *,
    encoder: nn.Module,
    resampler: nn.Module,
    widen: nn.Module,
    is_encoder_frozen: bool,
) -> Float[Tensor, "batch visuals latents dim"]:
    """Encodes and resamples all visuals of a batch; zeros where a visual has no real frame.

    Visuals with the same number of frames go through the resampler together, so that padding
    never enters an attention and a visual's tokens do not depend on the rest of the batch.
    Features that were computed before take the same way, from the resampler on.

    Raises:
        SequenceError: the real frames of a visual do not come first, or precomputed features
            stand beside pixels, are another encoder's, or would hide pixels from one that learns.
    """
    padded = pixel_values if visual_features is None else visual_features
    if padded is None or (pixel_values is not None and visual_features is not None):
        raise SequenceError("Give either pixel_values or visual_features, and not both.")
    mask, counts = _real_frames(padded, frame_mask)
    real = padded.flatten(0, 1)[mask]
    if visual_features is None:
        dtype = next(encoder.parameters()).dtype
        with torch.set_grad_enabled(torch.is_grad_enabled() and not is_encoder_frozen):
            features = _in_pieces(encoder, real.to(dtype))
    else:
        _check_features(real, encoder, is_encoder_frozen)
        features = real
    tokens = _resampled(features, counts, resampler, widen)
    return tokens.unflatten(0, padded.shape[:2])


def _real_frames(
    padded: Float[Tensor, "batch visuals frames *rest"],
    frame_mask: Bool[Tensor, "batch visuals frames"] | None,
) -> tuple[Bool[Tensor, "all_visuals frames"], Int[Tensor, " all_visuals"]]:
    """Which frames are real, visual by visual, and how many of them each visual has."""
    frames = padded.shape[2]
    if frame_mask is None:
        mask = padded.new_ones(padded.shape[:3], dtype=torch.bool).flatten(0, 1)
    else:
        mask = frame_mask.flatten(0, 1)
    counts = mask.sum(1)
    if not torch.equal(mask, torch.arange(frames, device=mask.device) < counts[:, None]):
        raise SequenceError(
            "frame_mask marks a padded frame before a real one. "
            "Put the real frames of a visual first and padding behind them."
        )
    return mask, counts


def _resampled(
    features: Float[Tensor, "real_frames positions channels"],
    counts: Int[Tensor, " all_visuals"],
    resampler: nn.Module,
    widen: nn.Module,
) -> Float[Tensor, "all_visuals latents dim"]:
    """The visual tokens of each visual, from the features of all real frames in order."""
    owners = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
    tokens: Tensor | None = None
    for count in counts.unique().tolist():
        if count == 0:
            continue
        members = (counts == count).nonzero()[:, 0]
        group = features[torch.isin(owners, members)].unflatten(0, (len(members), count))
        resampled = _in_pieces(
            lambda some: widen(resampler(some)), group.to(next(resampler.parameters()).dtype)
        )
        if tokens is None:
            tokens = resampled.new_zeros(len(counts), *resampled.shape[1:])
        tokens = tokens.index_copy(0, members, resampled.to(tokens.dtype))
    if tokens is None:
        raise SequenceError(
            "Visuals were given, but frame_mask says that no frame is real. "
            "For text alone, leave pixel_values and visual_features out."
        )
    return tokens


def _in_pieces(
    module: Callable[[Tensor], Tensor], inputs: Float[Tensor, "inputs ..."]
) -> Float[Tensor, "inputs ..."]:
    """What a module makes of independent inputs: of some at a time, where nothing is trained.

    What is inside of a module is then held for these alone: for 33 pictures at once it would be
    more than all that reading their prompt takes.
    """
    if torch.is_grad_enabled() or len(inputs) <= _AT_ONCE:
        return module(inputs)
    return torch.cat([module(some) for some in inputs.split(_AT_ONCE)])


def _check_features(features: Tensor, encoder: nn.Module, is_encoder_frozen: bool) -> None:
    """Features of another encoder mean nothing here, and those of one that learns grow old."""
    width = getattr(encoder, "width", features.shape[-1])
    if features.shape[-1] != width:
        raise SequenceError(
            f"visual_features are {features.shape[-1]} wide, but this model's vision encoder makes "
            f"{width}. They were computed by another encoder; compute them anew with this one."
        )
    if encoder.training and not is_encoder_frozen:
        raise SequenceError(
            "visual_features were given while the vision encoder is trained: it would learn "
            "nothing, and they would stay what it once was.\n"
            "Train from pictures, or freeze it (freeze_vision_encoder=True)."
        )


def check_index(
    visual_tokens: Tensor | None,
    visual_index: Tensor | None,
    inputs_embeds: Tensor,
    keep_visuals: str = "all",
) -> None:
    """Visuals without φ are never seen, silently; φ of another length is a mistake."""
    if keep_visuals not in ("all", "last"):
        raise SequenceError(f"keep_visuals is {keep_visuals!r}, but must be 'all' or 'last'.")
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


def check_range(
    visual_index: Tensor, num_visuals: int, num_forgotten: int = 0, *, is_decoding: bool = False
) -> None:
    """Refuses a φ that points to no visual; one new token repeats what was checked before it.

    Args:
        visual_index: φ of what is read now.
        num_visuals: that were given so far.
        num_forgotten: the first of them, which cannot be seen any more.
        is_decoding: whether `generate` goes on, which looks at no other visual than before.

    Raises:
        SequenceError: φ is negative, or larger than the number of visuals so far, or points to a
            visual whose keys and values were let go.
    """
    is_one = visual_index.shape[1] < 2
    if visual_index.is_meta or (is_one and (is_decoding or not num_forgotten)):
        return
    low, high = (int(end) for end in visual_index.aminmax())
    if low < 0 or high > num_visuals:
        raise SequenceError(
            f"visual_index counts from {low} up to {high}, but there are {num_visuals} visuals per "
            "row.\nIt is the number of the visual that a token sees, from 1, and 0 for none. "
            "Give the pixels of all visuals that the text speaks of."
        )
    if num_forgotten and bool(((visual_index > 0) & (visual_index <= num_forgotten)).any()):
        raise SequenceError(
            f"visual_index points to one of the first {num_forgotten} visuals, of which the cache "
            "keeps no keys and values any more: no token was to see them again.\n"
            "Read the text anew, with a cache of its own (past_key_values=DynamicCache())."
        )
