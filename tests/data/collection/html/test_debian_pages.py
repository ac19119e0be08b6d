"""Real pages: which images are kept of forty handbook pages, against labels made by hand.

`debian_images.json` has, for each page of a seeded draw, the file names of the images that belong
to its text and of those that guide or decorate: arrows and houses in page heads, the signs before
notes, the project's logo. Small pictures of a button inside of the sentence that describes it, and
linked thumbnails with a caption, belong to the text. Fetch the pages with
`python -m benchmarks.debian_pages FOLDER` and set `FLAMINGO_DEBIAN_DOCS=FOLDER`.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.debian_pages import PACKAGES, draw
from flamingo.data.collection.html import read_page
from flamingo.data.collection.pages import RawPage
from flamingo.foundation.errors import DataError

FOLDER = Path(os.environ.get("FLAMINGO_DEBIAN_DOCS", ""))
LABELS = json.loads(Path(__file__).with_name("debian_images.json").read_text(encoding="utf-8"))
PAPER_SIDE = 64
"""Pixels; the paper drops images with a shorter side."""
GOAL = 0.95
needs_pages = pytest.mark.skipif(
    "FLAMINGO_DEBIAN_DOCS" not in os.environ, reason="FLAMINGO_DEBIAN_DOCS is not set"
)


@dataclass(frozen=True)
class Score:
    """How many images were kept, of which kind."""

    content: int
    kept: int
    right: int

    @property
    def recall(self) -> float:
        return self.right / self.content

    @property
    def precision(self) -> float:
        return self.right / self.kept


def kept_images(page: str) -> list[str]:
    try:
        images = read_page(RawPage(page, (FOLDER / page).read_bytes())).images
    except DataError:
        return []
    return [image.address for image in images]


def is_large(address: str) -> bool:
    with Image.open(FOLDER / address) as picture:
        return min(picture.size) >= PAPER_SIDE


def score(pages: list[str], *, only_large: bool) -> Score:
    totals: Counter[str] = Counter()
    for page in pages:
        kept = kept_images(page)
        content = Counter(LABELS[page]["content"])
        if only_large:
            large = {posixpath.basename(one): is_large(one) for one in all_images(page)}
            kept = [address for address in kept if is_large(address)]
            content = Counter({name: n for name, n in content.items() if large[name]})
        names = Counter(map(posixpath.basename, kept))
        totals.update(content=content.total(), kept=names.total(), right=(names & content).total())
    return Score(**totals)


def all_images(page: str) -> Iterator[str]:
    """Paths of all images that the page has, by its own markup."""
    from selectolax.lexbor import LexborHTMLParser

    for image in LexborHTMLParser((FOLDER / page).read_bytes()).css("img"):
        source = image.attributes["src"] or ""
        yield posixpath.normpath(posixpath.join(posixpath.dirname(page), source))


def test_forty_pages_are_labeled() -> None:
    assert len(LABELS) == 40
    for start in PACKAGES.values():
        assert sum(page.startswith(start) for page in LABELS) == 20


@needs_pages
@pytest.mark.parametrize("package", PACKAGES)
def test_the_labels_are_of_all_images_of_the_drawn_pages(package: str) -> None:
    drawn = draw(FOLDER, package, 20)
    assert drawn == sorted(page for page in LABELS if page.startswith(PACKAGES[package]))
    for page in drawn:
        labels = LABELS[page]["content"] + LABELS[page]["decoration"]
        assert sorted(labels) == sorted(map(posixpath.basename, all_images(page)))


@needs_pages
@pytest.mark.parametrize("only_large", [False, True])
@pytest.mark.parametrize("package", [*PACKAGES, "both"])
def test_content_images_are_kept_and_icons_are_not(package: str, only_large: bool) -> None:
    start = PACKAGES.get(package, "")
    found = score([page for page in LABELS if page.startswith(start)], only_large=only_large)
    assert found.recall >= GOAL, found
    assert found.precision >= GOAL, found
