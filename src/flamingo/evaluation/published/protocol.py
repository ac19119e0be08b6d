"""What a published protocol is, as data: how one benchmark is asked, and how all of a family are.

What differs between families is a value here; the few functions that read these values are in
`published_task` and `published_predictor`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from flamingo.evaluation.benchmarks.item import Item
from flamingo.prompting import Template

ShownAnswer = Callable[[Item, np.random.Generator], str]
"""A support and chance give the answer that it shows."""


class ZeroShot(Enum):
    """What stands before a query without shots."""

    DRAWN = "supports as text, drawn like shots"
    FIRST = "the first supports of all as text, the same ones for each query"
    DRAWN_AND_SHOWN = "like DRAWN, and the query shows the picture of the first of them"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Protocol:
    """How one benchmark is asked and scored.

    Args:
        template: how an example is written.
        metric: name of the metric, see `metrics.registry`.
        shown_answer: which answer a support shows.
        max_new_tokens: an open answer that is longer is cut; 0 where candidates are scored.
        zero_shot: what stands before a query without shots.
        stop_words: an open answer is cut before the first of them.
        dropped: characters that are taken out of an open answer.
        references: the right answers of a query, if not those of the benchmark.
    """

    template: Template
    metric: str
    shown_answer: ShownAnswer
    max_new_tokens: int = 0
    zero_shot: ZeroShot = ZeroShot.DRAWN
    stop_words: tuple[str, ...] = ()
    dropped: str = ""
    references: Callable[[Item], tuple[str, ...]] | None = None

    def answer_in(self, text: str) -> str:
        """The answer in what the model wrote."""
        ends = [place for word in self.stop_words if (place := text.find(word)) >= 0]
        kept = text[: min(ends, default=len(text))]
        return kept.translate({ord(one): None for one in self.dropped}).strip()


@dataclass(frozen=True)
class Search:
    """How open answers are found.

    Args:
        num_beams: of the beam search.
        length_penalty: the exponent of the length by which a beam's log-likelihood is divided.
        ends_early: whether it ends as soon as there are as many complete answers as beams.
        stops_at_eoc: whether an answer ends with its chunk; else it ends with the sequence.
        never_written: whether a line break and the tags of an image may not be generated.
    """

    num_beams: int = 3
    length_penalty: float = 0.0
    ends_early: bool = False
    stops_at_eoc: bool = True
    never_written: bool = False


@dataclass(frozen=True)
class Ranking:
    """How candidates are scored.

    Args:
        is_mean: whether log-likelihoods are averaged over tokens, instead of summed.
        end: text that follows on each candidate.
        is_closed: whether the end of the chunk is scored as well.
    """

    is_mean: bool = False
    end: str = ""
    is_closed: bool = False


@dataclass(frozen=True)
class Family:
    """The protocol of one family of models.

    Args:
        name: how reports call it.
        benchmarks: what was asked, by name.
        search: how open answers are found.
        ranking: how candidates are scored.
    """

    name: str
    benchmarks: Mapping[str, Protocol]
    search: Search
    ranking: Ranking


def first_reference(item: Item, rng: np.random.Generator) -> str:
    """What the first person answered."""
    return item.references[0]


def first_caption(item: Item, rng: np.random.Generator) -> str:
    """The first caption, without space around it."""
    return item.references[0].strip()


def any_reference(item: Item, rng: np.random.Generator) -> str:
    """One of the references, by chance."""
    return item.references[int(rng.integers(len(item.references)))]


def usual_answer(item: Item, rng: np.random.Generator) -> str:
    """What the benchmark's supports show here as well."""
    return item.answer
