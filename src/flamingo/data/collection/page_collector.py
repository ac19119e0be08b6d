"""Web pages as a kind of data that can be prepared: pieces of pages, documents, duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from flamingo.data.collection.deduplication import (
    Decisions,
    SignatureTable,
    benchmark_images,
    decide,
    report,
    signature_of,
)
from flamingo.data.collection.deduplication import PieceDecision as Duplicates
from flamingo.data.collection.images import ImageFinder, images_of, load_image
from flamingo.data.collection.page_settings import PageSettings
from flamingo.data.collection.page_way import PageWay, ReadImages, read_found
from flamingo.data.collection.pages import Page, RawPage, Step
from flamingo.data.collection.pieces import Collected, Piece, PieceDecision, Sample
from flamingo.data.collection.samples import sample_of_page, without
from flamingo.data.collection.sources import PageSource
from flamingo.data.collection.steps.profiles import remarks
from flamingo.data.collection.steps.report import StepReport, merge_reports
from flamingo.data.skipping import Skipped

_NAMED = 100
"""Pages that could not be read are named up to this number; all are counted."""


@dataclass(frozen=True)
class PageCollector:
    """Makes documents of web pages.

    Args:
        source: of the pages.
        further: places of their images, beside those that `images_of` knows.
        steps: that they go through.
        settings: everything else.
        kept: a folder for what was found out about benchmarks.
    """

    source: PageSource
    further: tuple[ImageFinder, ...]
    steps: tuple[Step, ...]
    settings: PageSettings = field(default_factory=PageSettings)
    kept: Path | None = None

    def pieces(self) -> Sequence[Piece]:
        """See `Collector`."""
        return self.source.pieces(self.settings.pages_per_piece)

    def collect(self, piece: Any) -> Collected:
        """See `Collector`."""
        way = self.way(piece)
        samples: list[Sample] = []
        signatures = []
        skipped: list[Skipped] = []
        num_read = 0
        for found in self.source.read(piece):
            page = self.read(found)
            if isinstance(page, Skipped):
                skipped.append(page)
                continue
            num_read += 1
            left, _ = way(page)
            if left is not None:
                samples.append((f"{piece.name}-{len(samples):06d}", sample_of_page(left)))
                signatures.append(signature_of(left))
        notes = {
            "pages": num_read,
            "skipped": [[one.sample, one.reason] for one in skipped[:_NAMED]],
            "num_skipped": len(skipped),
            "steps": [one.to_plain() for one in way.reports],
        }
        return Collected(samples, notes, SignatureTable.of(signatures).to_bytes())

    def way(self, piece: Any) -> PageWay:
        """The steps for the pages of a piece, with counts of their own."""
        images = self.settings.images
        load = partial(load_image, longest_side=images.longest_side, quality=images.quality)
        finder = images_of(self.source, piece, self.further)
        return PageWay(self.steps, ReadImages(finder, load))

    def read(self, found: RawPage | Skipped) -> Page | Skipped:
        """A page's texts and images."""
        return read_found(found, self.settings.reading)

    def decide(self, signatures: Sequence[tuple[str, Path]]) -> PagesDecided:
        """See `Collector`."""
        given = self.settings.benchmarks
        benchmarks = None if given is None else benchmark_images(given, self.kept)
        tables = [SignatureTable.open(path) for _, path in signatures]
        decisions = decide(tables, self.settings.deduplication, benchmarks)
        numbers = {name: number for number, (name, _) in enumerate(signatures)}
        return PagesDecided(decisions, numbers, tables)

    def summary(self, notes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """See `Collector`."""
        pages = num_skipped = 0
        skipped: list[list[str]] = []

        def reports() -> Iterator[list[StepReport]]:
            nonlocal pages, num_skipped
            for one in notes:
                pages += one["pages"]
                num_skipped += one["num_skipped"]
                skipped.extend(one["skipped"][: _NAMED - len(skipped)])
                yield [StepReport.from_plain(step) for step in one["steps"]]

        merged = merge_reports(reports())
        return {
            "pages": pages,
            "num_skipped": num_skipped,
            "skipped": skipped,
            "steps": [one.to_plain() for one in merged],
            "remarks": list(remarks(self.steps)),
        }


@dataclass(frozen=True, eq=False)
class PagesDecided:
    """What was decided about all pages.

    Attributes:
        decisions: by number of piece.
        numbers: of the pieces, by name.
        tables: the signatures of each piece.
    """

    decisions: Decisions
    numbers: Mapping[str, int]
    tables: Sequence[SignatureTable]

    def of(self, piece: str, num_samples: int) -> PieceDecision:
        """See `Decided`."""
        number = self.numbers[piece]
        duplicates = self.decisions.of(number)
        num_images = self.tables[number].num_images
        kept = [
            page
            for page in range(num_samples)
            if duplicates.page(page).out is None
            # A document without images is none.
            and len(duplicates.page(page).images) < num_images[page]
        ]
        return PagesKept(tuple(kept), duplicates)

    def report(self) -> dict[str, Any]:
        """See `Decided`."""
        return report(self.decisions)


@dataclass(frozen=True)
class PagesKept:
    """Which pages of a piece stay, and without which of their parts."""

    kept: Sequence[int]
    duplicates: Duplicates

    def final(self, number: int, members: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """See `PieceDecision`."""
        decision = self.duplicates.page(number)
        return without(members, decision.images.keys(), decision.texts.keys())
