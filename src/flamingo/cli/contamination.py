"""`flamingo contamination NAME`: which pictures of a benchmark a training set has shown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamingo.evaluation.contamination import Contamination
    from flamingo.sequence import Visual


def add_parser(subparsers: Any) -> None:
    """Adds the verb `contamination` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "contamination",
        help="search a training set for pictures of a benchmark",
        description="Searches the pictures and videos of a training set for those of a benchmark: "
        "equal pixels, and perceptual hashes that differ in a few bits. DIR/duplicates.jsonl has "
        "every pair, DIR/summary.json the counts. Near ones are candidates, for a person to judge.",
    )
    parser.add_argument("name", metavar="NAME", help="of a benchmark")
    parser.add_argument(
        "--training",
        required=True,
        metavar="PATH",
        help='shards ("a/*.tar") or a folder of media, as in the recipes\' data sets',
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the benchmark's")
    parser.add_argument("--part", help="official part (default: the one that is evaluated)")
    parser.add_argument(
        "--max-distance", type=int, default=6, help="bits of 64 in which hashes differ (default 6)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR2", help="for the results")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Searches, and prints the counts.

    Raises:
        FlamingoError: there is no such benchmark, files are missing or damaged, or hashes have
            fewer bits than may differ.
    """
    from tqdm import tqdm

    from flamingo.evaluation.benchmarks.registry import benchmark_named
    from flamingo.evaluation.contamination import DUPLICATES, check_thresholds, find_duplicates
    from flamingo.evaluation.looks import Looks

    check_thresholds(args.max_distance)
    benchmark = benchmark_named(args.name)
    items = benchmark.read(args.data, args.part or benchmark.query_parts[0]).items
    paths = list(dict.fromkeys(media.path for item in items for media in item.media))
    quiet = not sys.stderr.isatty()
    skipped: list[str] = []
    asked = Looks.of(_loaded(tqdm(paths, desc=args.name, disable=quiet), skipped))
    seen = Looks.of(_training(args.training, skipped, quiet=quiet))
    found = find_duplicates(seen, asked, max_distance=args.max_distance)
    args.out.mkdir(parents=True, exist_ok=True)
    found.write(args.out)
    print(_told(found))
    if skipped:
        print(f"\nNote: {len(skipped)} files could not be read, such as {skipped[0]}")
    print(f"\nEvery pair is in {args.out / DUPLICATES}")
    return 0


def _told(found: Contamination) -> str:
    summary = found.summary()
    return (
        f"{summary['num_benchmark']} pictures of the benchmark, {summary['num_training']} of "
        f"training: {summary['exact']} have an exact copy there, and {summary['near']} more a "
        f"candidate within {summary['max_distance']} bits."
    )


def _loaded(paths: Any, skipped: list[str]) -> Iterator[tuple[str, Visual]]:
    """Files as visuals; what cannot be read is noted."""
    from flamingo.data.files import load_visual
    from flamingo.foundation.errors import MediaError, reason

    for path in paths:
        try:
            yield str(path), load_visual(path, num_frames=3)
        except MediaError as error:
            skipped.append(f"{path}: {reason(error)}")


def _training(path: str, skipped: list[str], *, quiet: bool) -> Iterator[tuple[str, Visual]]:
    """Every picture and video in a training set's samples, called by sample and member."""
    from tqdm import tqdm

    from flamingo.data.datasets.media import IMAGES, VIDEOS
    from flamingo.data.datasets.raw_samples import BrokenSample
    from flamingo.data.datasets.stores import open_store
    from flamingo.data.files import load_visual
    from flamingo.foundation.errors import MediaError, reason

    store = open_store(path, endings=(*IMAGES, *VIDEOS))
    for number in tqdm(range(len(store)), desc="training", disable=quiet):
        try:
            raw = store[number]
            names = [name for name in raw.names if _ending(name) in (*IMAGES, *VIDEOS)]
            for name in names:
                yield f"{raw.where}: {name}", load_visual(raw.read(name), num_frames=3)
        except (BrokenSample, MediaError) as error:
            skipped.append(f"sample {number}: {reason(error)}")


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()
