"""The subsets that a benchmark is cut into: what is asked, and what supports are taken from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.randomness import generator

Split = Literal["test", "validation"]


@dataclass(frozen=True)
class Subsets:
    """The two sets of items that one evaluation needs.

    Args:
        queries: in a fixed random order, so that the first of them are a fair sample.
        supports: shots are taken from these.
        candidates: that all queries share.
    """

    queries: tuple[Item, ...]
    supports: tuple[Item, ...]
    candidates: tuple[str, ...] = ()


def cut_subsets(
    benchmark: Benchmark, folder: Path, *, part: str | None = None, split: Split = "test"
) -> Subsets:
    """The queries and supports of a benchmark.

    With "test", the queries are an official part, and the supports are cut from the training
    part. A development benchmark also has a "validation", whose queries and supports are two
    further cuts of the training part. No two cuts have a picture in common. The cuts are always
    the same ones: they hang on nothing but the benchmark's name and its files.

    Args:
        benchmark: which.
        folder: holds its official files.
        part: the official part to ask; the benchmark's default if None. For "test" only.
        split: which subsets.

    Raises:
        ConfigError: the benchmark has no such part, or is held out and has no validation.
        DataError: files are missing or damaged, or too few items are left for a cut.

    Paper: Sec. 3, App. B.1.4 (four disjoint subsets of a DEV benchmark, two of a held-out one).
    """
    if split == "validation":
        return _validation(benchmark, folder, part)
    part = part or benchmark.query_parts[0]
    if part not in benchmark.query_parts:
        raise ConfigError(
            f"{benchmark.title} has no part {part!r} to evaluate.\n"
            f"Its parts are: {', '.join(benchmark.query_parts)}."
        )
    asked = benchmark.read(folder, part)
    supports: tuple[Item, ...] = ()
    if benchmark.max_shots:
        pool = asked if benchmark.support_part == part else _training(benchmark, folder)
        supports = _cuts(benchmark, pool)[0]
    return Subsets(_shuffled(benchmark.name, asked.items), supports, asked.candidates)


def _validation(benchmark: Benchmark, folder: Path, part: str | None) -> Subsets:
    if not benchmark.has_validation:
        raise ConfigError(
            f"{benchmark.title} has no validation split: it is held out, so that nothing may be "
            "chosen by it, or a task of your own.\nTune on a development benchmark (--tasks dev), "
            "or ask for --split test."
        )
    if part is not None:
        raise ConfigError(
            f"The validation split of {benchmark.title} is cut from its training part, so there "
            f"is no official part {part!r} to choose.\nLeave --part out."
        )
    pool = _training(benchmark, folder)
    _, supports, queries = _cuts(benchmark, pool)
    if not queries:
        raise DataError(
            f"The training part of {benchmark.title} in {folder} has only {len(pool.items)} items, "
            "too few to cut a validation set from.\n"
            "Give the complete official files, or ask for --split test."
        )
    return Subsets(_shuffled(benchmark.name, queries), supports, pool.candidates)


def _training(benchmark: Benchmark, folder: Path) -> Pool:
    return benchmark.read(folder, benchmark.support_part)


def _cuts(benchmark: Benchmark, pool: Pool) -> list[tuple[Item, ...]]:
    """Test supports, and of development benchmarks validation supports and queries as well."""
    sizes = [benchmark.num_support]
    if benchmark.has_validation:
        sizes += [benchmark.num_support, benchmark.num_validation]
    cut = _cut_per_class if benchmark.per_class else _cut
    return cut(benchmark.name, pool.items, sizes)


def _cut(name: str, items: Sequence[Item], sizes: Sequence[int]) -> list[tuple[Item, ...]]:
    """Disjoint sets of at most these sizes: what shows one picture stays together.

    Each set gets its share of the pictures, and takes of each of them one item after the other,
    so that it shows as many of them as it can.
    """
    by_media: dict[tuple[Media, ...], list[Item]] = {}
    for item in items:
        by_media.setdefault(_shown(item), []).append(item)
    groups = _shuffled(name, list(by_media.values()))
    total = max(1, sum(sizes))
    ends = [round(len(groups) * sum(sizes[: k + 1]) / total) for k in range(len(sizes))]
    return [
        _in_turn(name, groups[start:end], size)
        for start, end, size in zip([0, *ends], ends, sizes, strict=False)
    ]


def _in_turn(name: str, groups: Sequence[list[Item]], size: int) -> tuple[Item, ...]:
    """One item of each group, then the next one of each that has more."""
    own = [_shuffled(f"{name}/{group[0].id}", group) for group in groups]
    longest = max(map(len, own), default=0)
    turns = (group[k] for k in range(longest) for group in own if k < len(group))
    return tuple(islice(turns, size))


def _cut_per_class(
    name: str, items: Sequence[Item], sizes: Sequence[int]
) -> list[tuple[Item, ...]]:
    by_class: dict[str, list[Item]] = {}
    for item in items:
        by_class.setdefault(item.answer, []).append(item)
    each = [_cut(f"{name}/{label}", own, sizes) for label, own in by_class.items()]
    return [tuple(item for cuts in each for item in cuts[number]) for number in range(len(sizes))]


def _shown(item: Item) -> tuple[Media, ...]:
    """What the item shows, as whole files: two stretches of one video are not kept apart."""
    return tuple(Media(one.path) for one in item.media)


def _shuffled(name: str, things: Iterable[object]) -> tuple:  # type: ignore[type-arg]
    listed = list(things)
    order = generator("subsets", name).permutation(len(listed))
    return tuple(listed[place] for place in order)
