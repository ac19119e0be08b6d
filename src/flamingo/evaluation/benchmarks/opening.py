"""From the names of benchmarks and a folder of their files to tasks that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from flamingo.data.files import load_visual
from flamingo.data.sampling import Sampling
from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.item import Item
from flamingo.evaluation.benchmarks.media_loader import (
    EVALUATION_SAMPLING,
    MediaLoader,
    present_items,
)
from flamingo.evaluation.benchmarks.shots import (
    RandomShots,
    Shots,
    SimilarShots,
    one_per_picture,
    shown_by_both,
)
from flamingo.evaluation.benchmarks.subsets import Split, Subsets, cut_subsets
from flamingo.evaluation.benchmarks.task import NUM_TEXT_EXAMPLES, BenchmarkTask
from flamingo.evaluation.metrics.registry import check_metric
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.prompting.feature_rows import Features
from flamingo.prompting.rices import SimilarityIndex
from flamingo.sequence import Visual

FeaturesOf = Callable[[str, Sequence[Item], MediaLoader], Features]
"""Name of a benchmark, items and their loader give one row of features per item."""


@dataclass(frozen=True)
class BenchmarkSettings:
    """How benchmarks are opened.

    Args:
        folders: by name of a benchmark where its files are; under "" the folder that has one
            folder of each benchmark's name in it.
        parts: by name of a benchmark the official part to ask, where it is not the default.
        metrics: by name of a benchmark the metric to score it by, where it is not the official one.
        split: see `cut_subsets`.
        num_support: size of the support set, per class where there are classes; the paper's
            if None.
        rices: whether shots are those that look most like the query; else they are random.
        sampling: which frames of a video are looked at.
        may_be_missing: whether items without their files are left out instead of refused.
    """

    folders: Mapping[str, Path] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    split: Split = "test"
    num_support: int | None = None
    rices: bool = False
    sampling: Sampling = EVALUATION_SAMPLING
    may_be_missing: bool = False

    def folder_of(self, name: str) -> Path:
        """Where the files of a benchmark are.

        Raises:
            ConfigError: nobody has said.
            DataError: there is no such folder.
        """
        if name not in self.folders and "" not in self.folders:
            raise ConfigError(
                f"{name} is a benchmark of files, and nobody has said where they are.\n"
                f"Give --data {name}=FOLDER, or --data FOLDER with a folder {name} in it."
            )
        folder = self.folders.get(name, self.folders.get("", Path()) / name)
        if not folder.is_dir():
            raise DataError(
                f"There is no folder {folder} for the benchmark {name}.\n"
                f"`flamingo benchmarks {name}` says which files belong there."
            )
        return folder


@dataclass(frozen=True)
class Opened:
    """A task, and what a reader of its score must know.

    Args:
        task: ready to be asked.
        notes: such as how many items were left out, in sentences.
    """

    task: BenchmarkTask
    notes: tuple[str, ...] = ()


def open_benchmark(
    benchmark: Benchmark,
    settings: BenchmarkSettings,
    *,
    max_shots: int,
    num_queries: int | None = None,
    features_of: FeaturesOf | None = None,
    read: Callable[..., Visual] = load_visual,
) -> Opened:
    """Reads a benchmark's files, cuts its subsets, and prepares the choice of shots.

    Args:
        benchmark: which.
        settings: see there.
        max_shots: the largest number of shots that will be asked for.
        num_queries: how many of the queries will be asked; all if None.
        features_of: gives the features for RICES; needed where the settings ask for it.
        read: see `MediaLoader`.

    Raises:
        ConfigError: there is no such part or split, nobody has said where the files are, or the
            metric cannot be computed here.
        DataError: files are missing or damaged, or there are fewer supports than shots.
    """
    folder = settings.folder_of(benchmark.name)
    if benchmark.name in settings.metrics:
        benchmark = replace(benchmark, metric=settings.metrics[benchmark.name])
    if settings.num_support is not None:
        benchmark = replace(benchmark, num_support=settings.num_support)
    check_scorable(benchmark)
    cut = cut_subsets(
        benchmark, folder, part=settings.parts.get(benchmark.name), split=settings.split
    )
    lenient = settings.may_be_missing
    # All of them stay, in their places: those without a file are left out when they are asked.
    present = present_items(cut.queries, f"queries of {benchmark.title}", may_be_missing=lenient)
    supports = cut.supports
    if supports:
        what = f"supports of {benchmark.title}"
        supports = present_items(supports, what, may_be_missing=lenient)
    subsets = Subsets(cut.queries, supports, cut.candidates)
    _check_supports(benchmark, subsets, min(max_shots, benchmark.max_shots))
    load = MediaLoader(settings.sampling, read=read)
    shots: Shots = RandomShots(benchmark.name, cut.queries, supports)
    if settings.rices and supports:
        assert features_of is not None
        asked = cut.queries[:num_queries]
        there = {query.id for query in present}
        readable = [number for number, query in enumerate(asked) if query.id in there]
        shots = _similar(benchmark, subsets, load, readable, features_of)
    lost = {
        "queries": len(cut.queries) - len(present),
        "supports": len(cut.supports) - len(supports),
    }
    notes = [
        f"{number} {what} of {benchmark.title} are left out, as their files are missing."
        for what, number in lost.items()
        if number
    ]
    notes += _incomplete(benchmark, settings, len(cut.queries))
    return Opened(BenchmarkTask(benchmark, subsets, shots, load, lenient), tuple(notes))


def check_scorable(benchmark: Benchmark) -> None:
    """Refuses a benchmark that cannot be scored here, before anything is asked.

    Raises:
        ConfigError: its metric does not exist, or needs what is not installed.
    """
    try:
        check_metric(benchmark.metric)
    except ConfigError as error:
        raise ConfigError(
            f"{benchmark.title} cannot be scored here: {error}\n"
            f"Or score it otherwise for now: --metric {benchmark.name}=accuracy."
        ) from error


def _similar(
    benchmark: Benchmark,
    subsets: Subsets,
    load: MediaLoader,
    readable: Sequence[int],
    features_of: FeaturesOf,
) -> SimilarShots:
    """As many as any number of shots may want, so that they do not hang on what is asked now.

    Args:
        benchmark: which.
        subsets: of it.
        load: loads what they show.
        readable: numbers of the queries that will be asked and whose files are there.
        features_of: gives their features.
    """
    chosen = one_per_picture(subsets.supports)
    supports = [subsets.supports[number] for number in chosen]
    queries = [subsets.queries[number] for number in readable]
    exclude = shown_by_both(queries, supports)
    wanted = max(benchmark.max_shots, NUM_TEXT_EXAMPLES)
    most = min(wanted, len(supports) - max(map(len, exclude), default=0))
    index = SimilarityIndex(features_of(benchmark.name, supports, load))
    found = index.nearest(features_of(benchmark.name, queries, load), most, exclude).rows
    # In the row of its query; those of other queries are never looked at.
    nearest = np.zeros((max(readable, default=-1) + 1, most), np.int64)
    nearest[readable] = np.array(chosen)[found]
    return SimilarShots(nearest, subsets.queries)


def _check_supports(benchmark: Benchmark, subsets: Subsets, most: int) -> None:
    # What shows the query's own picture is no support of it, so a few more may be wanted.
    if len(subsets.supports) < most:
        raise DataError(
            f"{benchmark.title} has {len(subsets.supports)} supports, but {most} shots are asked "
            "for.\nAsk for fewer shots, or give the complete training part."
        )


def _incomplete(benchmark: Benchmark, settings: BenchmarkSettings, found: int) -> list[str]:
    """Tells when the official part has another size than it should have."""
    if settings.split == "validation":
        return []
    part = settings.parts.get(benchmark.name, benchmark.query_parts[0])
    expected = benchmark.num_items.get(part)
    if expected is None or expected == found:
        return []
    return [
        f"The part {part!r} of {benchmark.title} has {found} items here, and {expected} in the "
        "complete official files: the score is not that of the benchmark."
    ]
