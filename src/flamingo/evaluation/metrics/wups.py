"""NExT-QA: how near the words of an answer are in meaning to those of the right one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from flamingo.evaluation.metrics.mean_of_each import MeanOfEach, answers_of
from flamingo.evaluation.metrics.nltk_data import wordnet
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.metrics.wups_words import morphy_words, tagged_words

Similarity = Callable[[str, str], float]

EXACT_TYPES = frozenset({"DB", "DC"})
"""Questions with yes or no, and with a number, whose answers are right or wrong."""


def wups(prediction: Sequence[str], reference: Sequence[str], similarity: Similarity) -> float:
    """The similarity of two sets of words, 0 to 1: the lower of both directions.

    Args:
        prediction: words.
        reference: words.
        similarity: of two words, 0 to 1.
    """
    return min(
        _one_way(prediction, reference, similarity), _one_way(reference, prediction, similarity)
    )


def _one_way(words: Sequence[str], others: Sequence[str], similarity: Similarity) -> float:
    """The product over words of the best similarity with one of the others.

    Words that are like none of them are passed over, as in the official code, instead of making
    the product 0, which it is only if all words are such.
    """
    best = [max((similarity(word, other) for other in others), default=0.0) for word in words]
    product = 1.0
    for value in best:
        product *= value if value > 0 else 1.0
    return product if any(value > 0 for value in best) else 0.0


def wup(first: str, second: str, threshold: float, between: Similarity) -> float:
    """The similarity of two words; below the threshold only a tenth of it.

    Args:
        first: a word.
        second: a word; the same one has 1 whatever `between` says.
        threshold: 0 or 0.9.
        between: Wu and Palmer's similarity of two words, 0 if it knows one of them not.
    """
    if first == second:
        return 1.0
    value = between(first, second)
    return value if value >= threshold else 0.1 * value


@lru_cache(maxsize=2**18)
def wordnet_similarity(first: str, second: str) -> float:
    """Wu and Palmer's similarity of the first meanings of two words in WordNet.

    Raises:
        ConfigError: nltk or WordNet is missing.
    """
    meanings = [wordnet().synsets(word) for word in (first, second)]
    if not all(meanings):
        return 0.0
    return float(meanings[0][0].wup_similarity(meanings[1][0]) or 0.0)


@dataclass(frozen=True)
class Wups(MeanOfEach):
    """WUPS, as in the code of NExT-OE; of several references the one that fits best.

    An outcome's detail `type` tells which questions are right or wrong, those of type DB and DC;
    all others, and those without a type, are compared by meaning.

    The official list of words that do not count was not at hand, and an own one takes its place,
    see `wups_words`: so scores are not comparable to the last digit with those of others.

    Args:
        threshold: similarities below it count a tenth; papers have 0 or 0.9.
        lemmas: "tagger" finds the base form of a word by its part of speech, as the official code
            does; "morphy" asks WordNet alone, and needs no tagger. The same predictions got 20.6
            by "morphy" which are published with 21.5.

    Paper: App. B.1 (NextQA).
    """

    threshold: float = 0.0
    lemmas: Literal["tagger", "morphy"] = "tagger"

    @property
    def name(self) -> str:
        """What the number is called in tables."""
        return f"WUPS@{self.threshold:g}" + (" (morphy)" if self.lemmas == "morphy" else "")

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        """0 to 1 by answer.

        Raises:
            ConfigError: nltk, WordNet or the tagger's data is missing.
            DataError: there are no references.
        """
        to_words = tagged_words if self.lemmas == "tagger" else morphy_words
        # Without any outcome too, what is not installed is told.
        wordnet()
        to_words("")
        return [self._worth(outcome, to_words) for outcome in outcomes]

    def _worth(self, outcome: Outcome, to_words: Callable[[str], list[str]]) -> float:
        prediction = to_words(outcome.prediction)
        references = [to_words(answer) for answer in answers_of(outcome)]
        if outcome.details.get("type") in EXACT_TYPES:
            return float(prediction in references)

        def similarity(first: str, second: str) -> float:
            return wup(first, second, self.threshold, wordnet_similarity)

        return max(wups(prediction, reference, similarity) for reference in references)
