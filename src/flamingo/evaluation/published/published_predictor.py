"""A predictor that searches answers and ranks candidates as a published protocol does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flamingo.evaluation.published.protocol import Family
from flamingo.inference.predictor import Answer, Predictor
from flamingo.inference.prompt_inputs import After
from flamingo.inference.visual_memory import VisualMemory
from flamingo.sequence import Interleaved


class PublishedPredictor(Predictor):
    """A model, asked as its authors asked it.

    Args:
        predictor: the model as it was loaded.
        family: whose protocol is followed.
    """

    def __init__(self, predictor: Predictor, family: Family) -> None:
        super().__init__(predictor.model, predictor.processor, predictor.remembered().budgets)
        self.family = family

    def complete(
        self,
        prompts: Sequence[Interleaved],
        *,
        num_beams: int | None = None,
        max_new_tokens: int = 20,
        memory: VisualMemory | None = None,
        after: After = None,
        is_unwanted: Callable[[], bool] | None = None,
    ) -> list[Answer]:
        """Continues documents by the family's search, see `Completer.complete`."""
        return super().complete(
            prompts,
            num_beams=num_beams or self.family.search.num_beams,
            max_new_tokens=max_new_tokens,
            memory=memory,
            after=after,
            is_unwanted=is_unwanted,
        )

    def score_all(
        self,
        prompts: Sequence[Interleaved],
        candidates: Sequence[Sequence[str]],
        *,
        memory: VisualMemory | None = None,
        after: After = None,
    ) -> list[list[float]]:
        """The log-likelihood of each candidate, by the family's way of ranking."""
        found = super().score_all(prompts, candidates, memory=memory, after=after)
        if not self.family.ranking.is_mean:
            return found
        return [
            [score / len(self._scored_tokens(text)) for text, score in zip(own, row, strict=True)]
            for own, row in zip(candidates, found, strict=True)
        ]

    def _scored_tokens(self, text: str) -> list[int]:
        """The tokens of a candidate whose likelihood is its score."""
        ranking = self.family.ranking
        tokens = self.encoder.continuation(text + ranking.end)
        return [*tokens, self.encoder.prepared.ids.eoc] if ranking.is_closed else tokens

    def _search(self, num_beams: int) -> dict[str, Any]:
        """Settings of `generate`."""
        how = self.family.search
        settings = super()._search(num_beams)
        if num_beams > 1:
            settings |= {"length_penalty": how.length_penalty, "early_stopping": how.ends_early}
        if how.never_written:
            markup = self.encoder.prepared.markup
            words = ["\n", "\n\n", markup.image, markup.around_image]
            settings["bad_words_ids"] = self.encoder.prepared.tokens(list(filter(None, words)))
        return settings

    @property
    def stops(self) -> list[int]:
        """Tokens that end an answer."""
        ids = self.encoder.prepared.ids
        return [ids.eoc if self.family.search.stops_at_eoc else ids.eos]
