"""Do hostile pages crash, stall or lead out of `flamingo prepare`? Exits with 1 if any does.

    python -m benchmarks.fuzz_pages --pages FOLDER --count 10000

Real pages are broken in some thirty ways by a generator with a seed, beside pictures that are
bombs, links and pipes. The collector reads them one by one in a process that is watched: seconds
and memory of each page, every file that it opens. Then the command prepares the whole folder, and
its shards are searched for what lies outside, and read as a training reads them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.fuzzing.folder import FuzzFolder, make_folder, mutations_of
from benchmarks.fuzzing.watching import state_of
from benchmarks.fuzzing.whole import (
    changes_outside,
    faults_of_shards,
    other_settings,
    prepare_all,
    prepare_here,
)
from benchmarks.fuzzing.workers import Read, read_all, read_here
from flamingo.data.collection.sources.folders import html_files

RECIPES = ("pages", "obelics")
MOST_SECONDS = 5.0
"""Of CPU time, for one page; on a shared machine wall time says nothing."""
MOST_MEMORY = 3 << 30
"""Of the process while it reads one page, in bytes."""
_NUM_SHOWN = 8
_MAX_SEED_BYTES = 300_000
OWN_PAGES = tuple(
    f"<!DOCTYPE html><html lang=en><head><title>{title}</title></head><body><nav><a href=a>Home</a>"
    f"</nav><main><h1>{title}</h1><p>This is about the {title}, of which there are two in the old "
    "museum by the river. Most of the people who come there have never seen one before, and they "
    "stand in front of it for a while.</p><figure><img src=a.jpg alt=x><figcaption>One of them, as "
    "it was found by a farmer in his field.</figcaption></figure><p>Its wheels were made by hand "
    "from oak, while the frame has been cast from iron. A good worker could build three in one "
    "year, if the winter was not too long; then the paint had to dry for some weeks.</p><ul><li>It "
    "is as long as a small boat.<li>Nobody knows who bought the first.</ul><table><tr><td>weight"
    "<td>two tons</table><p>You can look at it every day but Monday, from nine to five. Children "
    f"do not pay. {more}</p><img src='b.jpg' width=200><pre>open = 9</pre></main></body></html>"
    for title, more in (
        ("steam plough", "There is also a garden with apple trees behind the house."),
        ("wooden crane", "A bus goes from the station to the door twice in an hour."),
        ("printing press", "In summer they show how a page was set, letter by letter."),
    )
)
"""Taken where no folder of real pages is given."""


@dataclass
class Findings:
    """What was seen.

    Attributes:
        count: of pages.
        violations: of what must never be.
        outcomes: how often each; pages are counted once for each recipe.
        slowest: the pages that took longest, with their mutations.
        largest: the pages that took most memory.
        seconds: of CPU time, for all pages.
        whole: what the command printed, its last lines.
        whole_memory: of the command's process, in bytes.
    """

    count: int
    violations: list[str] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    slowest: list[Read] = field(default_factory=list)
    largest: list[Read] = field(default_factory=list)
    seconds: float = 0.0
    whole: str = ""
    whole_memory: int = 0


def seed_pages(folder: Path | None) -> list[bytes]:
    """The pages of a folder that are not too large, or our own."""
    if folder is None:
        return [page.encode() for page in OWN_PAGES]
    paths = [folder / name for name in html_files(folder)]
    return [path.read_bytes() for path in paths if path.stat().st_size <= _MAX_SEED_BYTES]


def fuzz(
    root: Path,
    seeds: Sequence[bytes],
    count: int,
    seed: int,
    *,
    recipes: Sequence[str] = RECIPES,
    is_small: bool = False,
    tell_every: int = 0,
) -> Findings:
    """Makes the pages below `root`, and reads them in every way.

    Args:
        root: an empty folder.
        seeds: real pages.
        count: of pages.
        seed: of all draws.
        recipes: by which single pages are read.
        is_small: works in this process, and leaves out what takes seconds.
        tell_every: so many pages; 0 is silent.
    """
    folder = make_folder(root, seeds, count, seed, is_small=is_small)
    single, out = root / "single", root / "out"
    single.mkdir()
    before = state_of(root, [single, out])
    found = Findings(count)
    _tell(tell_every, f"{count} pages are made")
    reads: list[Read] = []
    for read in (read_here if is_small else read_all)(
        folder.pages, html_files(folder.pages), recipes, single
    ):
        reads.append(read)
        if tell_every and (read.has_failed or read.seconds > MOST_SECONDS):
            _tell(tell_every, f"{read.seconds:.1f} s {_told(read)}")
        if tell_every and len(reads) % tell_every == 0:
            _tell(tell_every, f"{len(reads)} of {count * len(recipes)} pages are read")
    _judge(found, reads)
    _prepare(found, folder, out, is_small)
    found.violations += changes_outside(folder, before, [single, out])
    return found


def _judge(found: Findings, reads: Iterable[Read]) -> None:
    reads = list(reads)
    fates = (f"{read.recipe}: {read.outcome.split()[0].rstrip(':')}" for read in reads)
    found.outcomes = dict(Counter(fates))
    for read in reads:
        if read.has_failed:
            told = [read.outcome, *read.forbidden]
            found.violations.append(f"{read.recipe}: {read.address!r}: {'; '.join(told)}")
        if read.seconds > MOST_SECONDS:
            found.violations.append(f"{read.recipe}: {read.address!r} took {read.seconds:.1f} s")
        if read.memory > MOST_MEMORY:
            found.violations.append(
                f"{read.recipe}: {read.address!r} took {read.memory / 1e9:.1f} GB"
            )
    found.seconds = sum(read.seconds for read in reads)
    found.slowest = sorted(reads, key=lambda read: -read.seconds)[:_NUM_SHOWN]
    found.largest = sorted(reads, key=lambda read: -read.memory)[:_NUM_SHOWN]


def _prepare(found: Findings, folder: FuzzFolder, out: Path, is_small: bool) -> None:
    whole = (prepare_here if is_small else prepare_all)(folder.pages, out)
    found.whole, found.whole_memory = whole.text[-3_000:], whole.memory
    found.violations += [f"the command: {one}" for one in whole.forbidden]
    if whole.exit_code != 0:
        found.violations.append(f"the command ended with {whole.exit_code}: {whole.text[-2_000:]}")
        return
    found.violations += faults_of_shards(folder, out)
    other_settings(folder, out, 2 if is_small else 100)


def report(found: Findings) -> str:
    """The findings, for people."""
    lines = [f"{found.count:,} pages, {found.seconds:.0f} s of CPU time to read them"]
    lines += [f"  {name:<18} {count:,}" for name, count in sorted(found.outcomes.items())]
    lines.append("slowest:")
    lines += [f"  {one.seconds:5.2f} s  {_told(one)}" for one in found.slowest]
    lines.append("most memory, beyond what the process had before:")
    lines += [f"  {one.memory / 1e9:5.2f} GB {_told(one)}" for one in found.largest]
    lines.append(f"the command, {found.whole_memory / 1e9:.2f} GB at most:")
    lines += [f"  {line}" for line in found.whole.splitlines()[-4:]]
    lines.append(f"{len(found.violations)} violations")
    lines += [f"  {one}" for one in found.violations[:50]]
    return "\n".join(lines)


def _told(read: Read) -> str:
    return (
        f"{read.recipe}: {mutations_of(read.address)} ({read.address[:5]!r}, {read.outcome[:80]})"
    )


def _tell(tell_every: int, text: str) -> None:
    if tell_every:
        print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def main() -> int:
    """Prints the findings; 1 if anything happened that must not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path, metavar="FOLDER", help="of real HTML pages")
    parser.add_argument("--count", type=int, default=10_000, help="of pages (default 10,000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="make the pages here, and keep them"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    root = args.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        found = fuzz(root, seed_pages(args.pages), args.count, args.seed, tell_every=500)
    finally:
        if args.keep is None:
            shutil.rmtree(root)
    print(report(found))
    if args.json:
        plain: dict[str, Any] = asdict(found)
        args.json.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    return 1 if found.violations else 0


if __name__ == "__main__":
    sys.exit(main())
