"""Batches of text alone, on which the miniature's language model is pretrained."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from flamingo.miniature.documents import TextDocument, text_document

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
        look_weight: loss weight of the words that stand for looks; 1 for all others. They are
            drawn at random, so what they teach is soon learned, and their noise drowns the rest.
        name: how this source is called in reports.
        weight: the paper's λ of this source.
    """

    seed: int
    tokenizer: PreTrainedTokenizerBase = field(repr=False)
    batch_size: int = 32
    num_tokens: int = 128
    num_long_tokens: int = 384
    long_from: int | None = None
    look_weight: float = 1.0
    name: str = "text"
    weight: float = 1.0

    def batch(self, step: int) -> dict[str, Tensor]:
        """Token ids `[rows, tokens]` with their loss weights, always the same for one step."""
        is_long = self.long_from is not None and step >= self.long_from
        length = self.num_long_tokens if is_long else self.num_tokens
        num_rows = max(1, self.batch_size * self.num_tokens // length)
        # Numbers of documents never come twice: no step has more rows than `batch_size`.
        first = step * self.batch_size
        documents = [
            text_document(self.seed, first + row, length // _SHORTEST_TURN)
            for row in range(num_rows)
        ]
        return self._padded(documents, length)

    def _padded(self, documents: list[TextDocument], length: int) -> dict[str, Tensor]:
        ids = torch.full((len(documents), length), self.tokenizer.pad_token_id)
        weights = torch.zeros(len(documents), length)
        for row, document in enumerate(documents):
            tokens, offsets = self._encoded(document)
            num = min(length, len(tokens) + 1)
            ids[row, 0] = self.tokenizer.bos_token_id
            ids[row, 1:num] = torch.tensor(tokens[: num - 1])
            by_character = self._weights_of(document)
            weights[row, 1:num] = torch.tensor(
                [by_character[end - 1] for end in offsets[: num - 1]]
            )
        return {"input_ids": ids, "loss_weights": weights}

    def _encoded(self, document: TextDocument) -> tuple[list[int], list[int]]:
        """The token ids, and the character after each token's last one."""
        encoded = self.tokenizer(
            document.text, add_special_tokens=False, return_offsets_mapping=True
        )
        return encoded["input_ids"], [end for _, end in encoded["offset_mapping"]]

    def _weights_of(self, document: TextDocument) -> list[float]:
        weights = [1.0] * len(document.text)
        for start, end in document.look_spans:
            weights[start:end] = [self.look_weight] * (end - start)
        return weights
