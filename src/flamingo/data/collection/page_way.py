"""The way of one page: read, then step by step, its images when the first step wants them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from flamingo.data.collection.html import Profile, read_page
from flamingo.data.collection.images import ImageFinder, decoding_work
from flamingo.data.collection.pages import (
    ImageNode,
    LoadedImage,
    Node,
    Outcome,
    Page,
    RawPage,
    Removal,
    Step,
)
from flamingo.data.collection.steps.report import StepReport
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import DataError, reason

Load = Callable[[bytes], LoadedImage | str]
"""Makes a picture of the bytes of a file, or says why it cannot."""


MAX_WORK = 100_000_000
"""Pixels that are decoded for one page; images beyond them are out, so that no page takes minutes.
Real pages stay far below: this is a hundred photos as they are shown, or eight as a camera has
them."""
_WORK_OF_A_FILE, _WORK_OF_A_SEARCH = 200_000, 20_000
"""What it takes to write a small picture anew, and to find that there is none, in the same unit; a
byte of a file counts as a pixel."""
MAX_SHOWN = 200
"""Letters of an image's address in a report."""
_TOO_MUCH = "the page has more images than are read of one page"


def read_found(found: RawPage | Skipped, profile: Profile) -> Page | Skipped:
    """A page's texts and images, or why there are none; see `read_page`."""
    if isinstance(found, Skipped):
        return found
    try:
        return read_page(found, profile)
    except DataError as error:
        return Skipped(found.address, reason(error))


class ReadImages:
    """Reads a page's images; those that are not found or not whole are out.

    Args:
        finder: where they are.
        load: checks them, and writes them anew.
    """

    name = "read-images"
    source = "this project"
    needs_pixels = False

    def __init__(self, finder: ImageFinder, load: Load) -> None:
        self.finder, self.load = finder, load

    def __call__(self, page: Page) -> Outcome:
        """See `Step`."""
        nodes: list[Node] = []
        removals: list[Removal] = []
        # A page shows some images more than once; they are read once.
        known: dict[str, LoadedImage | str] = {}
        work = 0
        for node in page.nodes:
            if not isinstance(node, ImageNode) or node.image is not None:
                nodes.append(node)
                continue
            if node.address not in known:
                known[node.address], more = self._read(page.address, node.address, MAX_WORK - work)
                work += more
            found = known[node.address]
            if isinstance(found, str):
                removals.append(Removal("image", found, node.address[:MAX_SHOWN]))
            else:
                nodes.append(replace(node, image=found))
        return Outcome(
            page.with_nodes(tuple(nodes)) if removals or known else page, tuple(removals)
        )

    def _read(
        self, page_address: str, address: str, work_left: int
    ) -> tuple[LoadedImage | str, int]:
        """The image, or why there is none; and the work that it took."""
        if work_left < _WORK_OF_A_SEARCH:
            return _TOO_MUCH, 0
        content = self.finder.find(page_address, address)
        if content is None:
            return "the image was not found", _WORK_OF_A_SEARCH
        work = _WORK_OF_A_FILE + len(content) + decoding_work(content)
        return (self.load(content), work) if work <= work_left else (_TOO_MUCH, _WORK_OF_A_FILE)


class PageWay:
    """Takes pages through steps, and counts what each step does.

    Args:
        steps: in order.
        read_images: put before the first step that needs pixels, or behind all.
    """

    def __init__(self, steps: Sequence[Step], read_images: ReadImages) -> None:
        first = next((n for n, step in enumerate(steps) if step.needs_pixels), len(steps))
        self.steps: tuple[Step, ...] = (*steps[:first], read_images, *steps[first:])
        self.reports = [StepReport(step.name, step.source) for step in self.steps]

    def __call__(self, page: Page) -> tuple[Page | None, list[tuple[str, Removal]]]:
        """What is left of a page, and what each step took out of it."""
        removals: list[tuple[str, Removal]] = []
        counts = None
        for step, report in zip(self.steps, self.reports, strict=True):
            outcome = step(page)
            counts = report.add(page, outcome, counts)
            removals += [(step.name, removal) for removal in outcome.removals]
            if outcome.page is None:
                return None, removals
            page = outcome.page
        return page, removals
