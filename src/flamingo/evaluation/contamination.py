"""Which pictures of a benchmark were seen in training: copies, and near copies."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flamingo.data.near_hashes import near_hashes
from flamingo.data.perceptual_hash import NUM_BITS
from flamingo.evaluation.looks import Looks
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.records import json_text, to_plain, write_text_atomically
from flamingo.prompting.feature_rows import lengths_of, unit_rows
from flamingo.prompting.rices import SimilarityIndex

DUPLICATES, SUMMARY = "duplicates.jsonl", "summary.json"


@dataclass(frozen=True)
class Duplicate:
    """A picture of the benchmark that training may have shown.

    Attributes:
        benchmark: its key.
        training: the key of what it resembles.
        is_exact: whether all pixels are equal; otherwise it is a candidate, for a person to judge.
        distance: bits in which the perceptual hashes differ; none if a picture is of one color.
        cosine: of the encoder's features, if they were given.
    """

    benchmark: str
    training: str
    is_exact: bool
    distance: int | None
    cosine: float | None


@dataclass(frozen=True)
class Contamination:
    """What was found.

    Attributes:
        duplicates: in the order of the benchmark; of one picture the exact ones first, then by
            distance, then by cosine.
        num_benchmark: pictures that were sought.
        num_training: pictures that were searched.
        num_plain: pictures of the benchmark that are of one color, compared without the hash.
        max_distance: as it was asked for.
        min_cosine: as it was asked for; none if there were no features.
    """

    duplicates: tuple[Duplicate, ...]
    num_benchmark: int
    num_training: int
    num_plain: int
    max_distance: int
    min_cosine: float | None

    def summary(self) -> dict[str, Any]:
        """The settings and the counts; `exact` and `near` are pictures of the benchmark."""
        exact = {one.benchmark for one in self.duplicates if one.is_exact}
        near = {one.benchmark for one in self.duplicates} - exact
        settings = {name: value for name, value in vars(self).items() if name != "duplicates"}
        return {**settings, "exact": len(exact), "near": len(near), "pairs": len(self.duplicates)}

    def write(self, folder: Path) -> None:
        """Writes the pairs, one a line, and the summary."""
        lines = (json.dumps(to_plain(one), ensure_ascii=False) + "\n" for one in self.duplicates)
        write_text_atomically(folder / DUPLICATES, "".join(lines))
        write_text_atomically(folder / SUMMARY, json_text(self.summary()))


def find_duplicates(
    training: Looks,
    benchmark: Looks,
    *,
    max_distance: int = 6,
    min_cosine: float = 0.95,
    num_nearest: int = 5,
) -> Contamination:
    """For each picture of the benchmark what resembles it most in training.

    A pair is told if all pixels are equal, or the hashes are near, or the cosine is high.

    Args:
        training: what was trained on.
        benchmark: what is to be evaluated on.
        max_distance: of hashes, in bits, 0 to 64.
        min_cosine: of features; which one means a copy hangs on the encoder.
        num_nearest: at most so many by each of the three signs, for each picture.

    Raises:
        ConfigError: a threshold is out of its range.
        DataError: only one side has features, or they do not fit together.

    Paper: Sec. 3, "Dedup" (with a learned embedding: 1,314 candidates in M3W, 125 of them exact).
    """
    check_thresholds(max_distance, min_cosine, num_nearest)
    _check_features(training, benchmark)
    pairs = _equal_pixels(training, benchmark, num_nearest)
    seen, sought = np.flatnonzero(~training.is_plain), np.flatnonzero(~benchmark.is_plain)
    near = near_hashes(training.hashes[seen], benchmark.hashes[sought], max_distance, num_nearest)
    for number, found in enumerate(near):
        pairs[int(sought[number])].update(seen[found].tolist())
    if training.features is not None and benchmark.features is not None and training.keys:
        num = min(num_nearest, len(training.keys))
        neighbors = SimilarityIndex(training.features).nearest(benchmark.features, num)
        for row, cosines in enumerate(neighbors.similarities):
            pairs[row].update(neighbors.rows[row][cosines >= min_cosine].tolist())
    return Contamination(
        duplicates=tuple(
            one
            for row in range(len(benchmark.keys))
            for one in _described(training, benchmark, row, sorted(pairs[row]))
        ),
        num_benchmark=len(benchmark.keys),
        num_training=len(training.keys),
        num_plain=int(benchmark.is_plain.sum()),
        max_distance=max_distance,
        min_cosine=None if training.features is None else min_cosine,
    )


def _equal_pixels(training: Looks, benchmark: Looks, num: int) -> defaultdict[int, set[int]]:
    """The training pictures with the very pixels, by row of the benchmark."""
    wanted = set(benchmark.fingerprints)
    owners: Mapping[str, list[int]] = defaultdict(list)
    for row, fingerprint in enumerate(training.fingerprints):
        if fingerprint in wanted:
            owners[fingerprint].append(row)
    pairs: defaultdict[int, set[int]] = defaultdict(set)
    for row, fingerprint in enumerate(benchmark.fingerprints):
        pairs[row].update(owners[fingerprint][:num])
    return pairs


def _described(training: Looks, benchmark: Looks, row: int, found: list[int]) -> list[Duplicate]:
    cosines = _cosines(training, benchmark, row, found)
    duplicates = []
    for other, cosine in zip(found, cosines, strict=True):
        is_plain = training.is_plain[other] or benchmark.is_plain[row]
        distance = int(training.hashes[other] ^ benchmark.hashes[row]).bit_count()
        duplicates.append(
            Duplicate(
                benchmark=benchmark.keys[row],
                training=training.keys[other],
                is_exact=training.fingerprints[other] == benchmark.fingerprints[row],
                distance=None if is_plain else distance,
                cosine=cosine,
            )
        )
    return sorted(duplicates, key=_rank)


def _rank(one: Duplicate) -> tuple[bool, int, float]:
    distance = NUM_BITS if one.distance is None else one.distance
    return not one.is_exact, distance, -(one.cosine or 0.0)


def _cosines(
    training: Looks, benchmark: Looks, row: int, found: list[int]
) -> list[float] | list[None]:
    if training.features is None or benchmark.features is None or not found:
        return [None] * len(found)
    rows, query = training.features[found], benchmark.features[row : row + 1]
    ours = unit_rows(query, lengths_of(query, "benchmark"))[0].astype(np.float64)
    cosines: list[float] = (unit_rows(rows, lengths_of(rows, "training")) * ours).sum(1).tolist()
    return cosines


def check_thresholds(max_distance: int = 6, min_cosine: float = 0.95, num_nearest: int = 5) -> None:
    """Refuses, before anything is looked at, what `find_duplicates` would refuse.

    Raises:
        ConfigError: a threshold is out of its range.
    """
    if not 0 <= max_distance <= NUM_BITS:
        raise ConfigError(
            f"max_distance is {max_distance}, but hashes have {NUM_BITS} bits.\n"
            f"Give 0 to {NUM_BITS}."
        )
    if not -1 <= min_cosine <= 1:
        raise ConfigError(f"min_cosine is {min_cosine}, but a cosine is from -1 to 1.")
    if num_nearest < 1:
        raise ConfigError(f"num_nearest is {num_nearest}, but must be at least 1.")


def _check_features(training: Looks, benchmark: Looks) -> None:
    if (training.features is None) != (benchmark.features is None):
        without = "training" if training.features is None else "the benchmark"
        raise DataError(
            f"There are no features of {without}, but of the other side.\n"
            "Give both, by the same encoder, or neither."
        )
