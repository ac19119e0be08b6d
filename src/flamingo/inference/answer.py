"""What the model says, and how it is read off what `generate` gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from flamingo.inference.likelihoods import row_log_likelihoods


@dataclass(frozen=True)
class Answer:
    """What the model says.

    Attributes:
        text: the answer.
        score: its log-likelihood, summed over its tokens and the `<EOC>` that ends it.
        choices: for a close-ended question the score of every candidate, best first.
        token_ids: of an open answer, with the one that ends it.
    """

    text: str
    score: float
    choices: tuple[tuple[str, float], ...] = ()
    token_ids: tuple[int, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def likeliest(cls, choices: Sequence[str], scores: Sequence[float]) -> Answer:
        """The choice with the highest score, and the scores of all."""
        ranked = sorted(zip(choices, scores, strict=True), key=lambda pair: -pair[1])
        return cls(*ranked[0], choices=tuple(ranked))

    def probabilities(self) -> dict[str, float]:
        """The candidates' shares of the likelihood of all of them."""
        best = max((score for _, score in self.choices), default=0.0)
        weights = {choice: math.exp(score - best) for choice, score in self.choices}
        return {choice: weight / sum(weights.values()) for choice, weight in weights.items()}


class AnswerReader:
    """Reads answers off what `generate` returned as a dictionary.

    Args:
        tokenizer: of the model.
        stops: tokens that end an answer.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, stops: int | Sequence[int]) -> None:
        self.tokenizer = tokenizer
        self.stops = torch.tensor(stops)

    def __call__(self, output: Any, width: int) -> list[Answer]:
        """The answer of each row.

        Args:
            output: with `logits` of each step, or the `sequences_scores` of a beam search.
            width: tokens of the prompts, which come first.
        """
        tokens = output.sequences[:, width:]
        counts = self._counts(tokens)
        ids = [row[own] for row, own in zip(tokens, counts, strict=True)]
        if getattr(output, "sequences_scores", None) is not None:
            scores = output.sequences_scores.tolist()
        else:
            logits = torch.stack(output.logits, dim=1)
            scores = row_log_likelihoods(logits, tokens, counts.long())
        return [
            Answer(self._text(own), score, token_ids=tuple(own.tolist()))
            for own, score in zip(ids, scores, strict=True)
        ]

    def _text(self, tokens: Int[Tensor, " tokens"]) -> str:
        text: str = self.tokenizer.decode(tokens, skip_special_tokens=True)
        return text.strip()

    def _counts(self, tokens: Int[Tensor, "rows tokens"]) -> Bool[Tensor, "rows tokens"]:
        """Marks the tokens of each answer up to and with the first that ends it."""
        is_end = torch.isin(tokens, self.stops.to(tokens.device)).long()
        return is_end.cumsum(-1) - is_end == 0
