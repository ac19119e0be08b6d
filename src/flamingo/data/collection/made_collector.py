"""Pairs and clips as kinds of data that can be prepared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from flamingo.data.collection.deduplication import (
    DeduplicationSettings,
    PageSignature,
    SignatureTable,
    benchmark_images,
    decide,
    report,
    signature_of,
)
from flamingo.data.collection.made_samples import MadeSample, Refused
from flamingo.data.collection.pages import ImageNode, Page, TextNode
from flamingo.data.collection.pieces import (
    Collected,
    Decided,
    KeepAll,
    KeptAsIs,
    Piece,
    PieceDecision,
    Sample,
)

_EXAMPLES = 3
"""Of what was refused for one reason, from each piece and in the end."""


@runtime_checkable
class MadeSource(Protocol):
    """A source of pairs or clips. Can be pickled."""

    def pieces(self, size: int) -> Sequence[Piece]:
        """The input, in pieces of so much."""

    def samples(self, piece: Any) -> Iterator[MadeSample | Refused]:
        """The samples of a piece in order, and what made none."""


@runtime_checkable
class SourceOfPairs(MadeSource, Protocol):
    """A source of pairs, which can be told that some texts are too frequent."""

    def count_texts(self, piece: Any) -> Counter[int]:
        """How many images of a piece have each text, by its hash."""

    def without(self, frequent: frozenset[int]) -> SourceOfPairs:
        """The same source, whose samples have none of these texts."""


@dataclass(frozen=True)
class MadeCollector:
    """Writes samples that a source makes.

    Args:
        source: of pairs or of clips.
        size: of its pieces.
        deduplication: what of it goes; the rules for images, with each pair as a page of its own.
        benchmarks: images that no pair should have, see `benchmark_images`.
        kept: a folder for what was found out about them.
    """

    source: MadeSource
    size: int
    deduplication: DeduplicationSettings | None = None
    benchmarks: str | None = None
    kept: Path | None = None

    def pieces(self) -> Sequence[Piece]:
        """See `Collector`."""
        return self.source.pieces(self.size)

    def collect(self, piece: Piece) -> Collected:
        """See `Collector`."""
        samples: list[Sample] = []
        signatures: list[PageSignature] = []
        refused: Counter[str] = Counter()
        examples: dict[str, list[list[str]]] = {}
        for made in self.source.samples(piece):
            if isinstance(made, Refused):
                refused[made.step] += 1
                examples.setdefault(made.step, []).append([made.reason, made.example])
                continue
            samples.append((f"{piece.name}-{len(samples):06d}", made.members))
            if self.deduplication is not None:
                signatures.append(signature_of(_as_page(made)))
        notes = {
            "refused": dict(sorted(refused.items())),
            "examples": {step: own[:_EXAMPLES] for step, own in sorted(examples.items())},
        }
        table = SignatureTable.of(signatures).to_bytes() if self.deduplication else b""
        return Collected(samples, notes, table)

    def decide(self, signatures: Sequence[tuple[str, Path]]) -> Decided:
        """See `Collector`."""
        if self.deduplication is None:
            return KeepAll()
        given = self.benchmarks
        benchmarks = None if given is None else benchmark_images(given, self.kept)
        tables = [SignatureTable.open(path) for _, path in signatures]
        decisions = decide(tables, self.deduplication, benchmarks)
        kept: dict[str, tuple[int, ...]] = {}
        for number, ((name, _), table) in enumerate(zip(signatures, tables, strict=True)):
            pages = decisions.of(number).pages
            gone = {n for n, page in pages.items() if page.out is not None or page.images}
            kept[name] = tuple(sample for sample in range(len(table)) if sample not in gone)
        return SamplesDecided(kept, report(decisions))

    def summary(self, notes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """See `Collector`."""
        refused: Counter[str] = Counter()
        examples: dict[str, list[list[str]]] = {}
        num_samples = 0
        for one in notes:
            num_samples += one["num_samples"]
            refused.update(one["refused"])
            for step, own in one["examples"].items():
                there = examples.setdefault(step, [])
                there.extend(own[: _EXAMPLES - len(there)])
        return {
            "samples": num_samples,
            "refused": dict(sorted(refused.items())),
            "examples": dict(sorted(examples.items())),
        }


@dataclass(frozen=True)
class SamplesDecided:
    """Which samples of each piece stay.

    Attributes:
        kept: by piece.
        told: for people.
    """

    kept: Mapping[str, tuple[int, ...]]
    told: Mapping[str, Any]

    def of(self, piece: str, num_samples: int) -> PieceDecision:
        """See `Decided`."""
        return KeptAsIs(self.kept[piece])

    def report(self) -> dict[str, Any]:
        """See `Decided`."""
        return dict(self.told)


def _as_page(made: MadeSample) -> Page:
    """A pair as a page with one image and one text, by which duplicates are found."""
    image = () if made.image is None else (ImageNode(made.key, image=made.image),)
    return Page(made.key, "", (*image, TextNode(made.text)))
