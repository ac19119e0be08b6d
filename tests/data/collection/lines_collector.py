"""A small collector for tests: files of lines, each a sample; the same line once only."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flamingo.data.collection.pieces import Collected, KeptAsIs, Piece


@dataclass(frozen=True)
class File:
    """A file of the input."""

    name: str
    path: Path


@dataclass(frozen=True)
class Decisions:
    """Which lines of which file stay."""

    kept: Mapping[str, tuple[int, ...]]

    def of(self, piece: str, num_samples: int) -> KeptAsIs:
        return KeptAsIs(self.kept[piece])

    def report(self) -> dict[str, Any]:
        return {"kept": sum(map(len, self.kept.values()))}


@dataclass(frozen=True)
class LinesCollector:
    """Makes a sample of each line; a process dies at the line "die", once."""

    folder: Path

    def pieces(self) -> Sequence[Piece]:
        return [File(path.stem, path) for path in sorted(self.folder.glob("*.txt"))]

    def collect(self, piece: Piece) -> Collected:
        assert isinstance(piece, File)
        lines = piece.path.read_text().splitlines()
        trap = piece.path.with_suffix(".trap")
        if trap.exists():
            trap.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        samples = [
            (f"line-{number}", {"json": json.dumps({"text": line}).encode(), "txt": line.encode()})
            for number, line in enumerate(lines)
        ]
        return Collected(samples, {"lines": len(lines)}, "\n".join(lines).encode())

    def decide(self, signatures: Sequence[tuple[str, Path]]) -> Decisions:
        seen: set[str] = set()
        kept = {}
        for name, signature in signatures:
            own = []
            for number, line in enumerate(signature.read_text().splitlines()):
                if line not in seen:
                    own.append(number)
                seen.add(line)
            kept[name] = tuple(own)
        return Decisions(kept)

    def summary(self, notes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        return {"lines": sum(note["lines"] for note in notes)}
