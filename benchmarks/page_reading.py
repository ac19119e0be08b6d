"""How fast are pages read beside bare parsing of the same pages? One thread, one run.

    python -m benchmarks.debian_pages FOLDER
    python -m benchmarks.page_reading FOLDER --json reading.json

Bare parsing makes selectolax's tree of a page's bytes and does nothing with it. Both are done in
turns; the best of the repetitions counts, in CPU time, so that other work on the machine matters
little. Files are read beforehand.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from flamingo.data.collection.html import read_page
from flamingo.data.collection.pages import RawPage
from flamingo.foundation.errors import DataError


@dataclass(frozen=True)
class Reading:
    """What was measured of one set of pages.

    Attributes:
        pages: how many.
        megabytes: of HTML.
        unreadable: in how many there is nothing to read.
        images: that are kept.
        words: the same.
        bare_pages_per_second: of the parser alone.
        pages_per_second: of `read_page`.
    """

    pages: int
    megabytes: float
    unreadable: int
    images: int
    words: int
    bare_pages_per_second: float
    pages_per_second: float

    @property
    def ratio(self) -> float:
        """Our speed as a share of the bare parser's."""
        return self.pages_per_second / self.bare_pages_per_second


def measure(pages: Sequence[RawPage], repeats: int) -> Reading:
    """Both ways in turns."""
    unreadable = images = words = 0
    for page in pages:
        try:
            read = read_page(page)
        except DataError:
            unreadable += 1
        else:
            images += len(read.images)
            words += read.num_words
    bare = ours = float("inf")
    for _ in range(repeats):
        bare = min(bare, _seconds(pages, lambda page: LexborHTMLParser(page.content)))
        ours = min(ours, _seconds(pages, _read))
    size = sum(len(page.content) for page in pages) / 1e6
    return Reading(
        len(pages), size, unreadable, images, words, len(pages) / bare, len(pages) / ours
    )


def find_pages(folder: Path) -> list[RawPage]:
    """All pages below a folder, sorted by name."""
    paths = sorted(folder.rglob("*.html"))
    return [
        RawPage(path.relative_to(folder).as_posix(), path.read_bytes())
        for path in paths
        if path.is_file()
    ]


def report(found: Reading) -> str:
    """For people."""
    return (
        f"{found.pages} pages, {found.megabytes:.1f} MB: {found.words:,} words and "
        f"{found.images:,} images kept, {found.unreadable} pages with nothing to read\n"
        f"bare parser {found.bare_pages_per_second:,.0f} pages/s, "
        f"read_page {found.pages_per_second:,.0f} pages/s, {found.ratio:.1%} of it"
    )


def _read(page: RawPage) -> None:
    with contextlib.suppress(DataError):
        read_page(page)


def _seconds(pages: Sequence[RawPage], work: Callable[[RawPage], object]) -> float:
    start = time.process_time()
    for page in pages:
        work(page)
    return time.process_time() - start


def main() -> None:
    """Prints the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with HTML pages in it")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    pages = find_pages(args.folder)
    if not pages:
        parser.error(f"no .html files below {args.folder}")
    found = measure(pages, args.repeats)
    print(report(found))
    if args.json:
        args.json.write_text(json.dumps({**asdict(found), "ratio": found.ratio}, indent=2) + "\n")


if __name__ == "__main__":
    main()
