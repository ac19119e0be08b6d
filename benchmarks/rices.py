"""How fast are supports found? Queries per second of RICES, beside faiss's exact index.

    python -m benchmarks.rices --json rices.json

Both search the same features of length 1 with the same number of threads, in turns: in each round
every searcher answers every size of batch once, so that a busy machine slows all of them alike. The
median over rounds stands beside the slowest and the fastest round. How often what they find is what
a search in float64 finds is told too. Needs about 2 GB; where faiss is absent, that is said.
"""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from flamingo.evaluation.report import machine
from flamingo.foundation.devices import pick_device
from flamingo.foundation.randomness import generator
from flamingo.foundation.records import json_text
from flamingo.prompting.rices import SimilarityIndex

Search = Callable[[np.ndarray], np.ndarray]
"""The row numbers of the nearest supports of each query."""

BATCHES = (1, 64)
CHECKED = 8
"""Queries whose supports are compared with those that float64 finds."""


@dataclass(frozen=True)
class Speed:
    """Over rounds, per second.

    Attributes:
        searcher: who searched.
        batch: queries searched together.
        queries: per second, the median.
        slowest: of the rounds.
        fastest: of the rounds.
        rounds: how many there were.
        searches: of one batch each, in a round.
    """

    searcher: str
    batch: int
    queries: float
    slowest: float
    fastest: float
    rounds: int
    searches: int


def features(num: int, width: int, kind: str) -> np.ndarray:
    """Rows of length 1 that lie in heaps, as pictures of one kind do."""
    rng = generator("rices benchmark", kind)
    heaps = generator("rices benchmark", "heaps").standard_normal((256, width), dtype=np.float32)
    rows = rng.standard_normal((num, width), dtype=np.float32)
    for start in range(0, num, 4096):
        few = slice(start, start + 4096)
        rows[few] += heaps[rng.integers(len(heaps), size=len(rows[few]))]
        rows[few] /= np.linalg.norm(rows[few], axis=1, keepdims=True)
    return rows


def searchers(supports: np.ndarray, shots: int, threads: int) -> dict[str, Search]:
    """Ours, and faiss's where it is installed."""
    index = SimilarityIndex(supports)
    found: dict[str, Search] = {"ours": lambda queries: index.nearest(queries, shots).rows}
    try:
        faiss = importlib.import_module("faiss")
    except ImportError:
        return found
    faiss.omp_set_num_threads(threads)
    flat = faiss.IndexFlatIP(supports.shape[1])
    flat.add(supports)
    found[f"faiss-cpu {faiss.__version__} IndexFlatIP"] = lambda queries: flat.search(
        queries, shots
    )[1]
    return found


def speeds(
    contenders: Mapping[str, Search], queries: np.ndarray, rounds: int, searches: Mapping[int, int]
) -> list[Speed]:
    """How fast each is with each size of batch, after a round that is not measured."""
    rates: dict[tuple[str, int], list[float]] = {}
    for number in range(rounds + 1):
        for batch, num_searches in searches.items():
            for name, search in contenders.items():
                begin = time.perf_counter()
                for turn in range(num_searches):
                    start = turn * batch % (len(queries) - batch + 1)
                    search(queries[start : start + batch])
                seconds = time.perf_counter() - begin
                if number > 0:
                    rates.setdefault((name, batch), []).append(num_searches * batch / seconds)
    return [
        Speed(name, batch, median(own), min(own), max(own), rounds, searches[batch])
        for (name, batch), own in rates.items()
    ]


def recall(search: Search, supports: np.ndarray, queries: np.ndarray, shots: int) -> float:
    """The share of the nearest supports, as float64 finds them, that is found."""
    wide = queries.astype(np.float64)
    pieces = [
        wide @ supports[start : start + 8192].astype(np.float64).T
        for start in range(0, len(supports), 8192)
    ]
    nearest = np.argsort(-np.concatenate(pieces, axis=1), axis=1, kind="stable")[:, :shots]
    pairs = zip(search(queries), nearest, strict=True)
    return float(np.mean([len(np.intersect1d(own, right)) / shots for own, right in pairs]))


def measure(num: int, width: int, shots: int, rounds: int, threads: int) -> dict[str, Any]:
    """Speeds and recalls of all that are installed."""
    supports = features(num, width, "supports")
    queries = features(4 * max(BATCHES), width, "queries")
    contenders = searchers(supports, shots, threads)
    # After all are loaded: the limit holds for the libraries that are there when it is set.
    with threadpool_limits(limits=threads):
        found = speeds(contenders, queries, rounds, dict.fromkeys(BATCHES, 4))
        recalls = {
            name: recall(search, supports, queries[:CHECKED], shots)
            for name, search in contenders.items()
        }
    return {
        "machine": {**machine(pick_device("cpu"), num_processes=1), "threads_per_process": threads},
        "supports": num,
        "width": width,
        "shots": shots,
        "faiss": "installed" if len(contenders) > 1 else "not installed",
        "speeds": found,
        "recalls": recalls,
    }


def report(found: Mapping[str, Any]) -> str:
    """The measurements, for people."""
    threads = found["machine"]["threads_per_process"]
    lines = [
        f"{found['shots']} of {found['supports']:,} supports of width {found['width']:,}, "
        f"{threads} threads of {found['machine']['cpu']}; "
        "queries per second, median (slowest to fastest)"
    ]
    for one in found["speeds"]:
        lines.append(
            f"{one.searcher:<32} batches of {one.batch:>3}: {one.queries:>8.1f} "
            f"({one.slowest:.1f} to {one.fastest:.1f}), {one.rounds} rounds of {one.searches}"
        )
    for name, share in found["recalls"].items():
        lines.append(f"{name:<32} finds {share:.4f} of what float64 finds")
    if found["faiss"] == "not installed":
        lines.append("faiss-cpu is not installed: nothing to compare with")
    return "\n".join(lines)


def main() -> None:
    """Prints the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--supports", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--shots", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    found = measure(args.supports, args.width, args.shots, args.rounds, args.threads)
    print(report(found))
    if args.json:
        about = {
            "command": shlex.join(["python", "-m", "benchmarks.rices", *sys.argv[1:]]),
            "date": datetime.now(UTC).date().isoformat(),
        }
        args.json.write_text(json_text({**about, **found}), encoding="utf-8")


if __name__ == "__main__":
    main()
