"""What is minimized: the negative log-likelihood of the text, given the visuals before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from flamingo.training.rows import field_of, join_rows, split_rows, with_fields

Reduction = Literal["mean", "sum"]


@dataclass(frozen=True)
class LossReport:
    """What an objective says about one batch.

    Args:
        loss: a scalar to minimize, with its graph.
        num_tokens: tokens (or samples) learned from, for the throughput.
        metrics: further numbers for the log.
        num_frames: pictures and frames of videos looked at, for the throughput.
    """

    loss: Tensor
    num_tokens: int = 0
    metrics: Mapping[str, float | Tensor] = field(default_factory=dict)
    num_frames: int = 0


Objective = Callable[[nn.Module, Any, str], LossReport]
"""Model, batch, name of the source → loss."""


@runtime_checkable
class Splittable(Protocol):
    """An objective that can be computed on parts of a batch, one after the other."""

    def split(self, batch: Any, num_parts: int) -> Iterator[tuple[float, Any]]:
        """Yields (share, part) such that Σ share · loss(part) is the loss of the batch."""
        ...


@runtime_checkable
class Weighing(Protocol):
    """An objective whose loss is a sum over something that it can count."""

    def denominator(self, batch: Any) -> float:
        """What the sum is divided by; the losses of two parts weigh as these numbers do."""
        ...


@runtime_checkable
class Merging(Protocol):
    """An objective that can learn from rows of several sources in one batch."""

    def merge(self, batches: Sequence[tuple[float, Any]]) -> Any:
        """One batch of all rows, each weighted by the λ that comes with its batch."""
        ...


@runtime_checkable
class Blanking(Protocol):
    """An objective that can take the visuals away, to see what they are worth."""

    def without_visuals(self, batch: Any) -> Any | None:
        """The same batch with nothing to be seen in its visuals; None if it has none."""
        ...


def next_token_loss(
    logits: Float[Tensor, "batch tokens vocabulary"],
    token_ids: Int[Tensor, "batch tokens"],
    loss_weights: Float[Tensor, "batch tokens"],
    reduction: Reduction = "mean",
    z_loss: float = 0.0,
) -> Float[Tensor, ""]:
    """The negative log-likelihood of every token, given those before it.

    The paper minimizes, per data set, E[ -Σ_ℓ log p(y_ℓ | y_<ℓ, x_≤ℓ) ]: a sum over tokens.
    "sum" is that, averaged over the rows of the batch. "mean", our default, divides by the
    summed weights instead, so that the scale depends neither on length nor on padding.

    Args:
        logits: position ℓ predicts token ℓ+1.
        token_ids: the tokens themselves; they are shifted here.
        loss_weights: weight of each token as a target: 0 for padding and `<image>`.
        reduction: "mean" over weighted tokens, or "sum" per row.
        z_loss: adds this much of the squared logarithm of each softmax's denominator, which
            keeps the logits from drifting (not in the paper).

    Paper: Eq. 1 and 2, Sec. 2.4.
    """
    # Targets are shifted, not the logits: cutting the last position off would copy all others.
    targets = torch.roll(token_ids, -1, dims=1).flatten()
    weights = torch.cat([loss_weights[:, 1:], torch.zeros_like(loss_weights[:, :1])], 1).float()
    scores = logits.float().flatten(0, 1)
    nll = F.cross_entropy(scores, targets, reduction="none")
    if z_loss:
        nll = nll + z_loss * scores.logsumexp(-1).square()
    total = (nll * weights.flatten()).sum()
    if reduction == "sum":
        return total / logits.shape[0]
    # A batch without a single target (all visuals) has loss 0, not 0/0.
    return total / weights.sum().clamp_min(torch.finfo(torch.float32).tiny)


class _TokenObjective:
    """The shared part of the two objectives below: loss, counts and splitting."""

    def __init__(self, reduction: Reduction = "mean", z_loss: float = 0.0) -> None:
        self.reduction: Reduction = reduction
        self.z_loss = z_loss

    def report(
        self,
        logits: Float[Tensor, "batch tokens vocabulary"],
        token_ids: Int[Tensor, "batch tokens"],
        loss_weights: Float[Tensor, "batch tokens"],
        num_frames: int = 0,
    ) -> LossReport:
        """The loss with the number of tokens that it is made of."""
        loss = next_token_loss(logits, token_ids, loss_weights, self.reduction, self.z_loss)
        num_tokens = int((loss_weights[:, 1:] > 0).sum())
        return LossReport(loss, num_tokens, num_frames=num_frames)

    def split(self, batch: Any, num_parts: int) -> Iterator[tuple[float, Any]]:
        """Cuts a batch by rows; a part counts by its share of the whole's denominator."""
        total = self.denominator(batch)
        for part in split_rows(batch, num_parts):
            yield self.denominator(part) / max(total, torch.finfo(torch.float32).tiny), part

    def merge(self, batches: Sequence[tuple[float, Any]]) -> Any:
        """One batch of all rows, λ multiplied into the weights of their tokens."""
        return join_rows(
            [
                with_fields(batch, loss_weights=field_of(batch, "loss_weights") * weight)
                for weight, batch in batches
            ]
        )

    def denominator(self, batch: Any) -> float:
        """The summed weights of the predicted tokens, or the rows where the loss is a sum."""
        weights: Tensor = field_of(batch, "loss_weights")
        return float(len(weights) if self.reduction == "sum" else weights[:, 1:].sum())


class LanguageObjective(_TokenObjective):
    """For a causal language model of transformers, on text alone.

    Batches are mappings of `input_ids`, `attention_mask` (optional) and `loss_weights`.
    """

    def __call__(self, model: nn.Module, batch: Any, source: str) -> LossReport:
        """The loss of one batch."""
        mask = field_of(batch, "attention_mask")
        inputs = {"input_ids": batch["input_ids"], "use_cache": False}
        if mask is not None:
            inputs["attention_mask"] = mask
        return self.report(model(**inputs).logits, batch["input_ids"], batch["loss_weights"])


class FlamingoObjective(_TokenObjective):
    """For a Flamingo, on a `flamingo.data.batching.Batch` of interleaved visuals and text."""

    def __call__(self, model: nn.Module, batch: Any, source: str) -> LossReport:
        """The loss of one batch."""
        batch = _with_something_to_see(batch, model)
        output = model(**batch.model_inputs(), use_cache=False)
        mask = field_of(batch, "frame_mask")
        num_frames = 0 if mask is None else int(mask.sum())
        return self.report(output.logits, batch.input_ids, batch.loss_weights, num_frames)

    def without_visuals(self, batch: Any) -> Any | None:
        """The same batch with visuals of the mean color; None if it has no visuals."""
        for name in ("pixel_values", "visual_features"):
            values = field_of(batch, name)
            if values is not None:
                return with_fields(batch, **{name: torch.zeros_like(values)})
        return None


def _with_something_to_see(batch: Any, model: nn.Module) -> Any:
    """A batch in which at least one frame is real, wherever the vision parts have to run.

    A few rows, such as a micro-batch, may have room for visuals and none in it. And processes
    that shard a model must all run the same layers, or they would wait for each other forever.
    The frame that is put there is of the mean color, and no token sees it.
    """
    mask = field_of(batch, "frame_mask")
    if mask is not None and not mask.any():
        mask = mask.clone()
        mask[0, 0, 0] = True
        return with_fields(batch, frame_mask=mask)
    if mask is not None or field_of(batch, "pixel_values") is not None:
        return batch
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return batch
    size = int(model.vision_encoder.image_size)  # type: ignore[union-attr,arg-type]
    ids = batch.input_ids
    mask = torch.zeros(len(ids), 1, 1, dtype=torch.bool, device=ids.device)
    mask[0] = True
    pixels = torch.zeros(len(ids), 1, 1, 3, size, size, device=ids.device)
    return with_fields(batch, pixel_values=pixels, frame_mask=mask)
