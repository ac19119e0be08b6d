"""The unit of work: a piece of the input, and what has been made of it, on disk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from flamingo.data.datasets.writing import write_shard
from flamingo.foundation.records import write_text_atomically

Sample = tuple[str, Mapping[str, bytes]]
"""A key and its members by their endings."""


@runtime_checkable
class Piece(Protocol):
    """A part of the input that is worked on as a whole; can be pickled.

    Attributes:
        name: the same in every run; a file name without dots.
    """

    @property
    def name(self) -> str:
        """See above."""


@dataclass(frozen=True)
class Collected:
    """What a piece has given.

    Attributes:
        samples: in order.
        notes: plain data on what was read, removed and skipped; see `Collector.summary`.
        signature: bytes by which its samples are held against those of other pieces.
    """

    samples: Sequence[Sample]
    notes: dict[str, Any] = field(default_factory=dict)
    signature: bytes = b""


class PieceFolder:
    """What was made of each piece: samples, notes and signature, each whole or not there.

    Args:
        folder: for all pieces.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def is_done(self, name: str) -> bool:
        """Whether a piece has been written, all of it."""
        return self._notes(name).is_file()

    def write(self, name: str, collected: Collected) -> None:
        """Writes what a piece has given; its notes come last, and say that all is there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_shard(self.samples(name), collected.samples)
        partial = self.signature(name).with_suffix(".partial")
        partial.write_bytes(collected.signature)
        partial.replace(self.signature(name))
        notes = {"num_samples": len(collected.samples), **collected.notes}
        write_text_atomically(self._notes(name), json.dumps(notes, sort_keys=True) + "\n")

    def notes(self, name: str) -> dict[str, Any]:
        """The notes of a piece."""
        found: dict[str, Any] = json.loads(self._notes(name).read_text(encoding="utf-8"))
        return found

    def samples(self, name: str) -> Path:
        """The shard with the samples of a piece."""
        return self.folder / f"{name}.tar"

    def _notes(self, name: str) -> Path:
        return self.folder / f"{name}.notes.json"

    def signature(self, name: str) -> Path:
        """The file with the signature of a piece."""
        return self.folder / f"{name}.signature"


@runtime_checkable
class Collector(Protocol):
    """One kind of data: how its input is cut into pieces, and what is made of each.

    Can be pickled: processes and machines get copies.
    """

    def pieces(self) -> Sequence[Piece]:
        """The input, in a fixed order.

        Raises:
            DataError: there is none.
        """

    def collect(self, piece: Piece) -> Collected:
        """What a piece gives; the same for the same piece, wherever it runs."""

    def decide(self, signatures: Sequence[tuple[str, Path]]) -> Decided:
        """What is to go, once all pieces are known.

        Args:
            signatures: name of each piece, in order, and the file with its signature.
        """

    def summary(self, notes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """The notes of all pieces as one, the same in whatever order they come."""


@runtime_checkable
class Decided(Protocol):
    """What was decided about the samples of all pieces."""

    def of(self, piece: str, num_samples: int) -> PieceDecision:
        """What concerns one piece."""

    def report(self) -> dict[str, Any]:
        """What was decided, in plain data for people."""


@runtime_checkable
class PieceDecision(Protocol):
    """What was decided about the samples of one piece; small, and can be pickled."""

    @property
    def kept(self) -> Sequence[int]:
        """The numbers of the samples that stay, in order."""

    def final(self, number: int, members: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """A sample that stays, as it will be in a shard."""


@dataclass(frozen=True)
class KeepAll:
    """Decides nothing: every sample stays as it is."""

    def of(self, piece: str, num_samples: int) -> PieceDecision:
        """See `Decided`."""
        return KeptAsIs(tuple(range(num_samples)))

    def report(self) -> dict[str, Any]:
        """See `Decided`."""
        return {}


@dataclass(frozen=True)
class KeptAsIs:
    """Samples of a piece that stay without a change."""

    kept: Sequence[int]

    def final(self, number: int, members: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """See `PieceDecision`."""
        return members
