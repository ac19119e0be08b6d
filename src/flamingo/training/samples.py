"""What the model writes for a few validation visuals while it learns, beside what stands there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from flamingo.foundation.devices import to_device
from flamingo.training.parallelism import is_sharded
from flamingo.training.preparation import modes_of, restore_modes
from flamingo.training.reporting import Probe, StepReport
from flamingo.training.rows import rows_of
from flamingo.training.sources import Source, batch_of

Decode = Callable[[list[int]], str]
"""Token ids → text."""


def watch_samples(
    sources: Sequence[Source],
    decode: Decode,
    *,
    every: int,
    rows: int = 2,
    max_new_tokens: int = 20,
) -> Probe:
    """A probe that lets a Flamingo go on from the first visual of the first validation rows.

    A model in shards is left alone: its weights are not together outside of a training step.

    Args:
        sources: validation sources; rows without a visual are passed over.
        decode: from token ids to text.
        every: updates between two looks.
        rows: how many rows of each source.
        max_new_tokens: where an answer is cut that does not end itself.
    """

    def probe(report: StepReport) -> Mapping[str, str] | None:
        if report.step % every or is_sharded(report.model):
            return None
        modes = modes_of(report.model)
        report.model.eval()
        try:
            written = {}
            for source in sources:
                batch = batch_of(source, 0).batch
                for row in range(min(rows, len(batch.input_ids))):
                    one = rows_of(batch, range(row, row + 1))
                    text = _written(report.model, one, decode, max_new_tokens)
                    if text:
                        written[f"{source.name} {row}"] = text
            return written
        finally:
            restore_modes(modes)

    return probe


def _written(model: Any, row: Any, decode: Decode, max_new_tokens: int) -> str | None:
    """What stands behind the first visual → what the model writes there."""
    device = next(model.parameters()).device
    start = _end_of_first_tag(row.input_ids[0], row.visual_index[0], model.config.image_token_id)
    if start is None:
        return None
    length = int(row.attention_mask[0].sum())
    inputs = {
        name: value[:, :start] if name in ("input_ids", "attention_mask", "visual_index") else value
        for name, value in to_device(row.model_inputs(), device).items()
    }
    with torch.no_grad():
        ids = model.generate(**inputs, max_new_tokens=max_new_tokens, do_sample=False, num_beams=1)
    truth = decode(row.input_ids[0, start : min(length, start + max_new_tokens)].tolist())
    return f"{truth.strip()} → {decode(ids[0, start:].tolist()).strip()}"


def _end_of_first_tag(ids: Tensor, index: Tensor, image_token_id: int | None) -> int | None:
    """Where the text behind the first visual begins; a tag of plain text is not looked for."""
    if image_token_id is None:
        return None
    tags = (ids == image_token_id).nonzero()
    return int(tags[0]) + 1 if len(tags) and int(index[tags[0]]) == 1 else None
