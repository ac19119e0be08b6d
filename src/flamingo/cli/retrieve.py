"""`flamingo retrieve MODEL PAIRS`: finds captions by pictures and pictures by captions."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from flamingo.evaluation.retrieval import RetrievalScores

Item = TypeVar("Item")

_NAMED = 5
"""So many of the samples that could not be used are printed; the results name all."""


def add_parser(subparsers: Any) -> None:
    """Adds the verb `retrieve` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "retrieve",
        help="score a contrastively trained model: captions by pictures, pictures by captions",
        description="Recall at 1, 5 and 10, both ways, over all pairs of a data set. Pictures that "
        "are there several times, each time with another caption, count as one.",
    )
    parser.add_argument(
        "model", metavar="MODEL", type=Path, help="what `flamingo train contrastive` left"
    )
    parser.add_argument(
        "pairs", metavar="PAIRS", help="tar shards, a folder or JSON lines, as in a recipe"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ... (default auto)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="for the numbers, as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluates, and prints the table.

    Raises:
        FlamingoError: the model or the data cannot be used.
    """
    # Imported here: each verb loads what it needs, and no other does.
    from flamingo.data.contrastive_batches import stored_pairs
    from flamingo.data.datasets import DatasetConfig
    from flamingo.data.skipping import Skipped
    from flamingo.evaluation.retrieval import retrieve
    from flamingo.evaluation.two_towers import ContrastiveEmbedder
    from flamingo.foundation.records import json_text, to_plain, write_text_atomically

    towers = ContrastiveEmbedder.from_pretrained(args.model, device=args.device)
    skipped: list[Skipped] = []
    data = DatasetConfig(kind="pairs", path=args.pairs, shuffle=False)
    scores = retrieve(towers, _counted(stored_pairs("PAIRS", data, skipped)))
    print(_table(scores))
    for one in skipped[:_NAMED]:
        print(f"Not used: {one.sample}: {one.reason}", file=sys.stderr)
    if len(skipped) > _NAMED:
        print(f"Not used: {len(skipped) - _NAMED} more samples", file=sys.stderr)
    if args.out is not None:
        record = {**to_plain(scores), "skipped": to_plain(skipped)}
        write_text_atomically(args.out, json_text(record))
    return 0


def _counted(items: Iterable[Item]) -> Iterator[Item]:
    from tqdm import tqdm

    yield from tqdm(items, unit="pair", disable=not sys.stderr.isatty())


def _table(scores: RetrievalScores) -> str:
    ranks = "".join(f"{f'R@{rank}':>8}" for rank in scores.image_to_text)
    rows = {
        "captions by picture": scores.image_to_text,
        "pictures by caption": scores.text_to_image,
    }
    lines = [f"{'percent found':<20}{ranks}"]
    for name, recalls in rows.items():
        lines.append(f"{name:<20}" + "".join(f"{recall:>8.1f}" for recall in recalls.values()))
    return "\n".join([*lines, f"{scores.num_images:,} pictures, {scores.num_texts:,} captions"])
