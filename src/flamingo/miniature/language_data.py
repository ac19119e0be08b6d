"""Batches of text alone, on which the miniature's language model is pretrained."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from flamingo.miniature.documents import text_document

_SHORTEST_TURN = 7
"""No turn of a text document is shorter, in tokens; so this many turns always fill a row."""


@dataclass(frozen=True)
class LanguageSource:
    """One document per row, cut where the row ends.

    A run has rows of `num_tokens` up to step `long_from`; from there on fewer but longer rows of
    `num_long_tokens`, as many tokens in all, in which a name must be remembered over more turns.

    Args:
        seed: decides all documents, together with the step.
        tokenizer: the miniature's own.
        batch_size: rows of a batch before `long_from`.
        num_tokens: length of these rows.
        num_long_tokens: length of the rows from `long_from` on.
        long_from: first step of the long rows; none if not given.
        name: how this source is called in reports.
        weight: the paper's λ of this source.
    """

    seed: int
    tokenizer: PreTrainedTokenizerBase = field(repr=False)
    batch_size: int = 32
    num_tokens: int = 128
    num_long_tokens: int = 384
    long_from: int | None = None
    name: str = "text"
    weight: float = 1.0

    def batch(self, step: int) -> dict[str, Tensor]:
        """Token ids `[rows, tokens]` with their loss weights, always the same for one step."""
        is_long = self.long_from is not None and step >= self.long_from
        length = self.num_long_tokens if is_long else self.num_tokens
        num_rows = max(1, self.batch_size * self.num_tokens // length)
        # Numbers of documents never come twice: no step has more rows than `batch_size`.
        first = step * self.batch_size
        texts = [
            text_document(self.seed, first + row, length // _SHORTEST_TURN)
            for row in range(num_rows)
        ]
        return self._padded(texts, length)

    def _padded(self, texts: list[str], length: int) -> dict[str, Tensor]:
        bos, pad = self.tokenizer.bos_token_id, self.tokenizer.pad_token_id
        encoded = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        ids = torch.full((len(texts), length), pad)
        for row, tokens in enumerate(encoded):
            kept = [bos, *tokens][:length]
            ids[row, : len(kept)] = torch.tensor(kept)
        weights = (ids != pad).float()
        weights[:, 0] = 0.0
        return {"input_ids": ids, "loss_weights": weights}
