"""CIDEr-D: how much a caption says what people say of this picture, and not of any picture."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar, Literal

from flamingo.evaluation.metrics.mean_of_each import MeanOfEach, answers_of
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.metrics.ptb_java import java_ptb_words
from flamingo.evaluation.metrics.ptb_tokenizer import ptb_words

Words = Sequence[str]
Ngram = tuple[str, ...]

MAX_N = 4
SIGMA = 6.0


@dataclass(frozen=True)
class _Weighted:
    """A caption: by n the weight of each of its n-grams, the norm of these, and its length."""

    weights: tuple[Mapping[Ngram, float], ...]
    norms: tuple[float, ...]
    length: int


def cider_d(predictions: Sequence[Words], references: Sequence[Sequence[Words]]) -> list[float]:
    """CIDEr-D of every caption, 0 to 10, as in the code of the COCO captioning challenge.

    How rare an n-gram is, is counted over the references of all pictures given here: so the value
    of a caption hangs on the others, a single picture is always worth 0, and scores of pictures
    apart do not add up to the score of all.

    The length penalty compares numbers of bigrams, as the official code does, not of words.

    Args:
        predictions: a caption for each picture, as words.
        references: captions by people for each picture, at least one.
    """
    counted = [[_ngrams(caption) for caption in captions] for captions in references]
    documents = Counter(chain.from_iterable(set().union(*captions) for captions in counted))
    log_pictures = math.log(len(references)) if references else 0.0
    rarity = {ngram: log_pictures - math.log(count) for ngram, count in documents.items()}

    def weighted(ngrams: Mapping[Ngram, int]) -> _Weighted:
        by_n: tuple[dict[Ngram, float], ...] = tuple({} for _ in range(MAX_N))
        for ngram, count in ngrams.items():
            by_n[len(ngram) - 1][ngram] = count * rarity.get(ngram, log_pictures)
        norms = (math.sqrt(sum(w * w for w in weights.values())) for weights in by_n)
        num_bigrams = sum(ngrams[bigram] for bigram in by_n[1])
        return _Weighted(by_n, tuple(norms), num_bigrams)

    scores = []
    for prediction, captions in zip(predictions, counted, strict=True):
        own = weighted(_ngrams(prediction))
        similarities = [_similarity(own, weighted(ngrams)) for ngrams in captions]
        scores.append(10 * sum(similarities) / len(similarities))
    return scores


def _ngrams(words: Words) -> Counter[Ngram]:
    counts: Counter[Ngram] = Counter()
    for n in range(1, MAX_N + 1):
        counts.update(zip(*(words[start:] for start in range(n)), strict=False))
    return counts


def _similarity(own: _Weighted, other: _Weighted) -> float:
    """Mean over n of the cosine, where nothing counts more often than the reference has it."""
    total = 0.0
    for n in range(MAX_N):
        there = other.weights[n]
        shared = sum(min(w, there[g]) * there[g] for g, w in own.weights[n].items() if g in there)
        norms = own.norms[n] * other.norms[n]
        total += shared / norms if norms else shared
    penalty = math.exp(-((own.length - other.length) ** 2) / (2 * SIGMA**2))
    return penalty * total / MAX_N


@dataclass(frozen=True)
class Cider(MeanOfEach):
    """CIDEr-D times 100, as papers report it: people reach some 85 on COCO, models more.

    An outcome stands for one picture or video with all of its captions. Intervals resample
    pictures, and leave what is rare as it is in the whole cell.

    Args:
        tokenizer: "own" has the rules of `ptb_tokenizer`; "java" is the original program.

    Paper: App. B.1 (COCO, Flickr30k, VATEX, YouCook2).
    """

    is_bounded: ClassVar[bool] = False
    tokenizer: Literal["own", "java"] = "own"

    @property
    def name(self) -> str:
        """What the number is called in tables."""
        return "CIDEr" if self.tokenizer == "own" else "CIDEr (Java)"

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        """CIDEr-D of every caption, 0 to 10.

        Raises:
            ConfigError: the tokenizer "java" is not installed.
            DataError: a picture has no reference.
        """
        to_words = java_ptb_words if self.tokenizer == "java" else _own_words
        predictions = to_words([outcome.prediction for outcome in outcomes])
        references = [answers_of(outcome) for outcome in outcomes]
        words = iter(to_words([*chain.from_iterable(references)]))
        return cider_d(predictions, [[next(words) for _ in captions] for captions in references])


ToWords = Callable[[Sequence[str]], list[tuple[str, ...]]]


def _own_words(captions: Sequence[str]) -> list[tuple[str, ...]]:
    return [ptb_words(caption) for caption in captions]
