"""What deduplication costs and what it finds: signatures, decisions, near texts and near images.

    python -m benchmarks.deduplication --json deduplication.json

Pages are made up: words as frequent as in a language, some texts that all pages of a domain have,
some icons that all pages have, and copies: one page in fifty is the same text again, one in twenty
an edited one. Signatures are timed beside the MinHash of datasketch, which gets the same shingles.
Decisions are timed at growing sizes; the power of the size that fits the times tells whether they
grow linearly. In the end edited copies of known similarity are sought among unrelated pages.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from datasketch import MinHash

from benchmarks.measuring import measure_times
from benchmarks.turns import exponent
from flamingo.data.collection.deduplication import (
    NO_DEDUPLICATION,
    DeduplicationSettings,
    SignatureTable,
    decide,
    signature_of,
)
from flamingo.data.collection.deduplication.minhash import minhash
from flamingo.data.collection.deduplication.shingles import shingles
from flamingo.data.collection.pages import ImageNode, LoadedImage, Node, Page, TextNode
from flamingo.data.near_pairs import near_pairs
from flamingo.evaluation.report import machine
from flamingo.foundation.devices import pick_device
from flamingo.foundation.randomness import generator
from flamingo.foundation.records import json_text

VOCABULARY = 50_000
PAGES_PER_DOMAIN, PAGES_PER_PIECE = 100, 5_000
IMAGES_PER_PAGE = 4
"""As in M3W."""
LEVELS = (0.5, 0.7, 0.9)
_THUMBNAIL = np.zeros((1, 1, 3), np.uint8)


def words(num: int, *key: int | str) -> list[str]:
    """Words as frequent as in a language, the most frequent one in every tenth place."""
    drawn = generator("deduplication benchmark", *key).zipf(1.1, num)
    return [f"word{number % VOCABULARY}" for number in drawn.tolist()]


def edited(own: Sequence[str], share: float, *key: int | str) -> list[str]:
    """A copy in which a share of the words, one by one, are others."""
    rng = generator("deduplication benchmark", "edits", *key)
    places = rng.choice(len(own), round(share * len(own)), replace=False).tolist()
    copy = list(own)
    for place in places:
        copy[place] = f"edit{place}"
    return copy


def image(number: int) -> ImageNode:
    """An image that has been read, with hashes made up of its number."""
    rng = generator("deduplication benchmark", "image", number)
    sha256, look = rng.bytes(32).hex(), int(rng.integers(0, 2**64, dtype=np.uint64))
    loaded = LoadedImage(b"", "jpg", 320, 240, 640, 480, sha256, look, _THUMBNAIL)
    return ImageNode(f"https://images.example.org/{number}.jpg", image=loaded)


def made_page(number: int, num_words: int) -> Page:
    """A page of paragraphs of forty words."""
    domain = number // PAGES_PER_DOMAIN
    own = words(num_words, "page", number)
    if number % 50 == 49:
        own = words(num_words, "page", number - 1)
    elif number % 20 == 19:
        own = edited(words(num_words, "page", number - 1), 0.01, number)
    texts = [" ".join(own[start : start + 40]) for start in range(0, num_words, 40)]
    images = [image(IMAGES_PER_PAGE * number + place) for place in range(IMAGES_PER_PAGE - 1)]
    nodes: list[Node] = [TextNode(one) for one in [*texts, f"All rights of {domain} reserved."]]
    nodes += [image(-1 - number % 3), *images]
    address = f"https://www.domain{domain}.org/pages/{number}?utm_source=benchmark"
    return Page(address, "", tuple(nodes), date="2021-03-04T05:06:07Z")


def signature_speed(num_pages: int, num_words: int, repeats: int) -> dict[str, Any]:
    """Pages per second of one process, and of MinHash alone, ours and datasketch's."""
    pages = [made_page(number, num_words) for number in range(num_pages)]
    sets = [shingles("\n".join(node.text for node in page.texts)) for page in pages]
    lists = [[int(one).to_bytes(4, "little") for one in own] for own in sets]

    def of_datasketch() -> None:
        for one in lists:
            MinHash(num_perm=128).update_batch(one)

    works = {
        "signature": lambda: [signature_of(page) for page in pages],
        "signature, as a table": lambda: SignatureTable.of(map(signature_of, pages)).to_bytes(),
        "MinHash of shingles": lambda: [minhash(own) for own in sets],
        "MinHash of shingles, datasketch": of_datasketch,
    }
    times = {name: measure_times(work, repeats) for name, work in works.items()}
    table = SignatureTable.of(map(signature_of, pages)).to_bytes()
    return {
        "words": num_words,
        "pages_per_cpu_second": {name: num_pages / one.cpu_seconds for name, one in times.items()},
        "bytes_per_page": len(table) / num_pages,
    }


def tables(num_pages: int, num_words: int) -> list[SignatureTable]:
    """The signatures of so many pages, in pieces."""
    return [
        SignatureTable.of(
            signature_of(made_page(number, num_words))
            for number in range(start, min(start + PAGES_PER_PIECE, num_pages))
        )
        for start in range(0, num_pages, PAGES_PER_PIECE)
    ]


def decision(own: Sequence[SignatureTable]) -> dict[str, Any]:
    """Seconds of a decision over all pages, its memory, and what it has found."""
    settings = DeduplicationSettings()
    begin, cpu = time.perf_counter(), time.process_time()
    decisions = decide(own, settings)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    tracemalloc.start()
    decide(own, settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    num_pages = decisions.corpus.num_pages
    return {
        "pages": num_pages,
        "images": int(decisions.corpus.image_starts[-1]),
        "texts": int(decisions.corpus.text_starts[-1]),
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_bytes_per_page": peak / num_pages,
        "found": {rule: len(found) for rule, found in decisions.found.items()},
    }


def image_search(num: int, max_distance: int) -> dict[str, Any]:
    """Seconds in which all near pairs of so many hashes are found, one in ten being a near copy."""
    rng = generator("deduplication benchmark", "hashes", num)
    hashes = rng.integers(0, 2**64, num, np.uint64)
    copies = hashes[: num // 10] ^ (np.uint64(1) << rng.integers(0, 64, num // 10, np.uint64))
    hashes[-len(copies) :] = copies
    begin, cpu = time.perf_counter(), time.process_time()
    found = near_pairs(hashes, max_distance)
    return {
        "hashes": num,
        "max_distance": max_distance,
        "pairs": len(found),
        "seconds": time.perf_counter() - begin,
        "cpu_seconds": time.process_time() - cpu,
    }


def shingle_sets(own: Sequence[str]) -> set[tuple[str, ...]]:
    """Every five words in a row."""
    return {tuple(own[start : start + 5]) for start in range(len(own) - 4)}


def found_copies(num_pages: int, num_words: int, threshold: float) -> list[dict[str, Any]]:
    """Which of edited copies are found, and what else is: one page in four has a copy."""
    pages, truth = [], {}
    for number in range(num_pages):
        # Other words on every page: no two pages are similar but those that are meant to be.
        own = [f"{word}of{number % 997}" for word in words(num_words, "planted", number)]
        pages.append(Page(f"{number}", "", (TextNode(" ".join(own)),)))
        if number % 4 == 0:
            level = LEVELS[number // 4 % len(LEVELS)]
            # Of the shingles 2 s / (1 + s) must stay, and one stays if all its five words do.
            share = 1 - (2 * level / (1 + level)) ** (1 / 5)
            copy = edited(own, share, "planted", number)
            one, other = shingle_sets(own), shingle_sets(copy)
            truth[len(pages)] = (level, len(one & other) / len(one | other), len(pages) - 1)
            pages.append(Page(f"{number} again", "", (TextNode(" ".join(copy)),)))
    settings = replace(NO_DEDUPLICATION, near_text=threshold)
    found = decide([SignatureTable.of(map(signature_of, pages))], settings).found["near-text"]
    pairs = {
        frozenset(pair) for pair in zip(found.rows.tolist(), found.likes.tolist(), strict=True)
    }
    rows = []
    for level in LEVELS:
        wanted = {frozenset((row, own)) for row, (of, _, own) in truth.items() if of == level}
        true = [similarity for of, similarity, _ in truth.values() if of == level]
        rows.append(
            {
                "similarity": sum(true) / len(true),
                "copies": len(wanted),
                "found": len(wanted & pairs),
            }
        )
    meant = {frozenset((row, own)) for row, (_, _, own) in truth.items()}
    rows.append({"similarity": 0.0, "copies": 0, "found": len(pairs - meant)})
    return rows


def measure(
    sizes: Sequence[int],
    num_words: int,
    hashes: Sequence[int],
    repeats: int,
    planted: int = 1600,
) -> dict[str, Any]:
    """All of it."""
    decisions = [decision(tables(size, num_words)) for size in sizes]
    power = None
    if len(sizes) > 1:
        power = exponent(sizes, [one["cpu_seconds"] for one in decisions])
    return {
        "machine": machine(pick_device("cpu"), num_processes=1),
        "signatures": signature_speed(planted // 8, 720, repeats),
        "decisions": decisions,
        "decisions_exponent": power,
        "images": [image_search(num, bits) for num in hashes for bits in (3, 4, 5)],
        "threshold": 0.8,
        "copies": found_copies(planted, 300, 0.8),
    }


def report(told: dict[str, Any]) -> str:
    """The measurements, for people."""
    signatures = told["signatures"]
    lines = [
        f"{told['machine']['cpu']}, one thread; pages of {signatures['words']} words, "
        f"{signatures['bytes_per_page']:.0f} bytes each as a signature:"
    ]
    for name, rate in signatures["pages_per_cpu_second"].items():
        lines.append(f"  {name:<34} {rate:>8,.0f} pages per second")
    for one in told["decisions"]:
        lines.append(
            f"deciding about {one['pages']:>9,} pages with {one['images']:,} images: "
            f"{one['seconds']:.2f} s ({one['cpu_seconds']:.2f} s of the processor), "
            f"{one['peak_bytes_per_page']:.0f} bytes per page"
        )
        found = ", ".join(f"{num:,} {rule}" for rule, num in one["found"].items() if num)
        lines.append(f"  found {found}")
    if told["decisions_exponent"] is not None:
        lines.append(f"grows with the {told['decisions_exponent']:.2f}th power of the pages")
    for one in told["images"]:
        lines.append(
            f"{one['hashes']:>10,} image hashes, pairs within {one['max_distance']} bits: "
            f"{one['seconds']:.2f} s, {one['pairs']:,} pairs"
        )
    for one in told["copies"]:
        if one["copies"]:
            lines.append(
                f"copies of similarity {one['similarity']:.2f}: {one['found']} of "
                f"{one['copies']} found at {told['threshold']}"
            )
        else:
            lines.append(f"pairs found that are no copies: {one['found']}")
    return "\n".join(lines)


def main() -> None:
    """Prints the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--words", type=int, default=200, help="of each page that is decided about")
    parser.add_argument("--hashes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    told = measure(args.pages, args.words, args.hashes, args.repeats)
    print(report(told))
    if args.json:
        about = {
            "command": shlex.join(["python", "-m", "benchmarks.deduplication", *sys.argv[1:]]),
            "date": datetime.now(UTC).date().isoformat(),
        }
        args.json.write_text(json_text({**about, **told}), encoding="utf-8")


if __name__ == "__main__":
    main()
