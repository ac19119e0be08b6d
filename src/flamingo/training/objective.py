"""What is minimized: the negative log-likelihood of the text, given the visuals before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

Reduction = Literal["mean", "sum"]


@dataclass(frozen=True)
class LossReport:
    """What an objective says about one batch.

    Args:
        loss: a scalar to minimize, with its graph.
        num_tokens: tokens (or samples) learned from, for the throughput.
        metrics: further numbers for the log.
    """

    loss: Tensor
    num_tokens: int = 0
    metrics: Mapping[str, float | Tensor] = field(default_factory=dict)


Objective = Callable[[nn.Module, Any, str], LossReport]
"""Model, batch, name of the source → loss."""


@runtime_checkable
class Splittable(Protocol):
    """An objective that can be computed on parts of a batch, one after the other."""

    def split(self, batch: Any, num_parts: int) -> Iterator[tuple[float, Any]]:
        """Yields (share, part) such that Σ share · loss(part) is the loss of the batch."""
        ...


def next_token_loss(
    logits: Float[Tensor, "batch tokens vocabulary"],
    token_ids: Int[Tensor, "batch tokens"],
    loss_weights: Float[Tensor, "batch tokens"],
    reduction: Reduction = "mean",
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

    Paper: Eq. 1 and 2, Sec. 2.4.
    """
    weights = loss_weights[:, 1:].float()
    nll = F.cross_entropy(
        logits[:, :-1].float().flatten(0, 1), token_ids[:, 1:].flatten(), reduction="none"
    )
    total = (nll * weights.flatten()).sum()
    if reduction == "sum":
        return total / logits.shape[0]
    # A batch without a single target (all visuals) has loss 0, not 0/0.
    return total / weights.sum().clamp_min(torch.finfo(torch.float32).tiny)


class _TokenObjective:
    """The shared part of the two objectives below: loss, counts and splitting."""

    def __init__(self, reduction: Reduction = "mean") -> None:
        self.reduction: Reduction = reduction

    def report(
        self,
        logits: Float[Tensor, "batch tokens vocabulary"],
        token_ids: Int[Tensor, "batch tokens"],
        loss_weights: Float[Tensor, "batch tokens"],
    ) -> LossReport:
        """The loss with the number of tokens that it is made of."""
        loss = next_token_loss(logits, token_ids, loss_weights, self.reduction)
        return LossReport(loss, num_tokens=int((loss_weights[:, 1:] > 0).sum()))

    def split(self, batch: Any, num_parts: int) -> Iterator[tuple[float, Any]]:
        """Cuts a batch by rows; a part counts by its share of the whole's denominator."""
        total = self._denominator(batch)
        for part in split_rows(batch, num_parts):
            yield self._denominator(part) / max(total, torch.finfo(torch.float32).tiny), part

    def _denominator(self, batch: Any) -> float:
        weights: Tensor = _get(batch, "loss_weights")
        return float(len(weights) if self.reduction == "sum" else weights[:, 1:].sum())


class LanguageObjective(_TokenObjective):
    """For a causal language model of transformers, on text alone.

    Batches are mappings of `input_ids`, `attention_mask` (optional) and `loss_weights`.
    """

    def __call__(self, model: nn.Module, batch: Any, source: str) -> LossReport:
        """The loss of one batch."""
        mask = _get(batch, "attention_mask", None)
        inputs = {"input_ids": batch["input_ids"], "use_cache": False}
        if mask is not None:
            inputs["attention_mask"] = mask
        return self.report(model(**inputs).logits, batch["input_ids"], batch["loss_weights"])


class FlamingoObjective(_TokenObjective):
    """For a Flamingo, on a `flamingo.data.batching.Batch` of interleaved visuals and text."""

    def __call__(self, model: nn.Module, batch: Any, source: str) -> LossReport:
        """The loss of one batch."""
        output = model(**batch.model_inputs(), use_cache=False)
        return self.report(output.logits, batch.input_ids, batch.loss_weights)


def split_rows(batch: Any, num_parts: int) -> Iterator[Any]:
    """Cuts a mapping or dataclass of tensors along its first dimension into at most `num_parts`."""
    if dataclasses.is_dataclass(batch) and not isinstance(batch, type):
        plain = {f.name: getattr(batch, f.name) for f in dataclasses.fields(batch) if f.init}
    else:
        plain = dict(batch)
    num_rows = max(value.shape[0] for value in plain.values() if _has_rows(value))
    size = -(-num_rows // num_parts)
    for start in range(0, num_rows, size):
        part = {
            name: value[start : start + size] if _has_rows(value) else value
            for name, value in plain.items()
        }
        yield part if isinstance(batch, Mapping) else dataclasses.replace(batch, **part)


def _has_rows(value: Any) -> bool:
    return isinstance(value, Tensor) and value.ndim > 0


_REQUIRED = object()


def _get(batch: Any, name: str, default: Any = _REQUIRED) -> Any:
    if isinstance(batch, Mapping):
        return batch[name] if default is _REQUIRED else batch.get(name, default)
    return getattr(batch, name) if default is _REQUIRED else getattr(batch, name, default)
