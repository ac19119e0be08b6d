"""Which supports a query gets: random ones, or those that look most like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int

from flamingo.evaluation.benchmarks.item import Item, Media
from flamingo.foundation.errors import DataError
from flamingo.foundation.randomness import generator


@runtime_checkable
class Shots(Protocol):
    """Chooses supports for queries."""

    @property
    def name(self) -> str:
        """What tells this choice from any other, without its seed."""

    def choose(self, seed: int, index: int, num: int) -> list[int]:
        """Numbers of `num` supports for query number `index`, in the order of the prompt."""


@dataclass(frozen=True)
class RandomShots:
    """Supports drawn for each query, by its name and the seed alone.

    So they are the same in any batch, on any number of processes, and whatever else is asked.
    More shots begin with the fewer ones. What shows a query's own picture is no support of it.

    Args:
        task: name of the benchmark.
        queries: all of them.
        supports: to choose from.

    Paper: Sec. 3.1.
    """

    task: str
    queries: Sequence[Item]
    supports: Sequence[Item]
    name: str = "random"

    def choose(self, seed: int, index: int, num: int) -> list[int]:
        """The supports of one query.

        Raises:
            DataError: there are fewer that show something else.
        """
        query = self.queries[index]
        order = generator("shots", self.task, seed, query.id).permutation(len(self.supports))
        own = {media.path for media in query.media}
        chosen: list[int] = []
        for place in order.tolist():
            if len(chosen) == num:
                break
            if not own & {media.path for media in self.supports[place].media}:
                chosen.append(place)
        if len(chosen) < num:
            raise too_few(query, len(chosen), num)
        return chosen


@dataclass(frozen=True)
class SimilarShots:
    """The supports that look most like each query, the most similar one last (RICES).

    Each picture gives one support at most: its other questions look just as similar.

    Args:
        nearest: for each query the supports by falling similarity.
        queries: theirs.

    Paper: Sec. 3.1, App. A.2.
    """

    nearest: Int[np.ndarray, "queries most"]
    queries: Sequence[Item]
    name: str = "rices"

    def choose(self, seed: int, index: int, num: int) -> list[int]:
        """The supports of one query; there is nothing random about them.

        Raises:
            DataError: there are fewer that show something else.
        """
        best: list[int] = self.nearest[index, :num].tolist()
        if len(best) < num:
            raise too_few(self.queries[index], len(best), num)
        return best[::-1]


def too_few(query: Item, found: int, num: int) -> DataError:
    """What to tell where a query cannot have its number of shots."""
    return DataError(
        f"The query {query.id} has {found} supports that show something else, but {num} shots are "
        "asked for.\nAsk for fewer shots, or give more supports."
    )


def one_per_picture(items: Sequence[Item]) -> list[int]:
    """Numbers of the items that are the first to show what they show."""
    first: dict[tuple[Media, ...], int] = {}
    for number, item in enumerate(items):
        first.setdefault(item.media, number)
    return list(first.values())


def shown_by_both(queries: Sequence[Item], supports: Sequence[Item]) -> list[list[int]]:
    """For each query the numbers of the supports that show a file which it shows too."""
    by_file: dict[Path, list[int]] = {}
    for number, support in enumerate(supports):
        for path in {media.path for media in support.media}:
            by_file.setdefault(path, []).append(number)
    return [
        [
            number
            for path in {media.path for media in query.media}
            for number in by_file.get(path, ())
        ]
        for query in queries
    ]
