"""Batches of text alone, on which the miniature's language model is pretrained."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from flamingo.foundation.randomness import generator
from flamingo.miniature.documents import TextDocument, list_document, text_document

_SHORT_TURN = 7
"""Few turns of text are shorter, in tokens: with so many turns, few rows are left with padding."""


@dataclass(frozen=True)
class TextStage:
    """A part of the curriculum; what the shares leave are documents in all their variety.

    Args:
        steps: how long it lasts; the last stage goes on for ever.
        num_tokens: length of its rows. In longer ones a name must be remembered over more turns.
        repeated: share of repeated lists.
        glossaries: share of glossaries.
        picks: share of rows of which one word is said again.
        plain: share of plain documents.
    """

    steps: int
    num_tokens: int
    repeated: float = 0.0
    glossaries: float = 0.0
    picks: float = 0.0
    plain: float = 0.0


CURRICULUM = (
    TextStage(500, 64, repeated=0.3, glossaries=0.4, plain=0.3),
    TextStage(1_100, 96, glossaries=0.2, picks=0.1, plain=0.7),
    TextStage(1_500, 128, glossaries=0.08, picks=0.08, plain=0.24),
    TextStage(550, 384, glossaries=0.05, picks=0.05, plain=0.2),
    TextStage(450, 1024, glossaries=0.05, picks=0.05, plain=0.2),
)
"""First to find what was said before, then names for looks, then variety, then length."""


@dataclass(frozen=True)
class LanguageSource:
    """One document per row, cut where the row ends.

    Args:
        seed: decides all documents, together with the step.
        tokenizer: the miniature's own.
        tokens_per_batch: of all rows together, in every stage. Many small updates learn sooner
            than few large ones.
        stages: the curriculum.
        look_weight: loss weight of the words that stand for looks; 1 for all others. They are
            drawn at random, so what they teach is soon learned, and their noise drowns the rest.
        name: how this source is called in reports.
        weight: the paper's λ of this source.
    """

    seed: int
    tokenizer: PreTrainedTokenizerBase = field(repr=False)
    tokens_per_batch: int = 1152
    stages: tuple[TextStage, ...] = CURRICULUM
    look_weight: float = 1.0
    name: str = "text"
    weight: float = 1.0

    def stage(self, step: int) -> TextStage:
        """The part of the curriculum that a step belongs to."""
        for stage in self.stages[:-1]:
            if step < stage.steps:
                return stage
            step -= stage.steps
        return self.stages[-1]

    def batch(self, step: int) -> dict[str, Tensor]:
        """Token ids `[rows, tokens]` with their loss weights, always the same for one step."""
        stage = self.stage(step)
        num_rows = max(1, self.tokens_per_batch // stage.num_tokens)
        draws = generator("kinds of rows", self.seed, step).random(num_rows)
        # No step has more rows than tokens, so no document comes twice.
        first = step * self.tokens_per_batch
        documents = [
            self._document(stage, first + row, float(draw)) for row, draw in enumerate(draws)
        ]
        return self._padded(documents, stage.num_tokens)

    def _document(self, stage: TextStage, index: int, draw: float) -> TextDocument:
        num_turns = stage.num_tokens // _SHORT_TURN
        if draw < stage.repeated:
            return list_document(self.seed, index, num_turns, "repeated_list")
        draw -= stage.repeated
        if draw < stage.glossaries:
            return list_document(self.seed, index, num_turns, "glossary")
        draw -= stage.glossaries
        if draw < stage.picks:
            return list_document(self.seed, index, num_turns, "pick")
        is_plain = draw - stage.picks < stage.plain
        return text_document(self.seed, index, num_turns, is_plain=is_plain)

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
