"""OK-VQA: VQA accuracy of stemmed answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flamingo.evaluation.metrics.mean_of_each import MeanOfEach
from flamingo.evaluation.metrics.okvqa_stems import nltk_stem, rule_stem
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.metrics.vqa_accuracy import leave_one_out, several_answers_of
from flamingo.evaluation.metrics.vqa_normalization import normalized


@dataclass(frozen=True)
class OkvqaAccuracy(MeanOfEach):
    """VQA accuracy "by-index" of the stemmed prediction.

    References are the stemmed answers of the official file, its field `answer`, and are not
    stemmed again.

    Args:
        stemmer: "rules" needs nothing, and scores with it are not comparable to the last digit
            with others, see `rule_stem`; "nltk" has the published rules, see `nltk_stem`.

    Paper: App. B.1 (OKVQA).
    """

    stemmer: Literal["rules", "nltk"] = "rules"

    @property
    def name(self) -> str:
        """What the number is called in tables."""
        return f"OK-VQA accuracy ({self.stemmer})"

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        """0 to 1 by answer.

        Raises:
            ConfigError: the stemmer needs what is not installed.
            DataError: an outcome has fewer than two references.
        """
        stem = nltk_stem if self.stemmer == "nltk" else rule_stem
        # Without any outcome too, what is not installed is told.
        stem("")
        return [
            leave_one_out(
                normalized(stem(outcome.prediction.strip())),
                [*map(normalized, several_answers_of(outcome))],
            )
            for outcome in outcomes
        ]
