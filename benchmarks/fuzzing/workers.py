"""Reads hostile pages one by one in processes of their own, which may crash or never come back."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.fuzzing.watching import Watch, memory_from_here, peak_memory
from flamingo.data.collection.engines import LocalEngine
from flamingo.data.collection.opening import collector_of
from flamingo.data.collection.pieces import Collector, PieceFolder
from flamingo.data.collection.sources.source import Piece
from flamingo.presets.preparation import preparation_named

HANGS_AFTER = 90.0
"""Seconds without an answer after which a process is ended."""


@dataclass(frozen=True)
class Read:
    """What became of one page.

    Attributes:
        recipe: that it was read by.
        address: of the page.
        seconds: of CPU time.
        memory: that the process took for it at most, in bytes.
        outcome: "kept", "dropped", "skipped: why"; or "CRASH", "HANG", "DIED" and what is known.
        forbidden: what was opened or tried that must not be.
    """

    recipe: str
    address: str
    seconds: float
    memory: int
    outcome: str
    forbidden: tuple[str, ...] = ()

    @property
    def has_failed(self) -> bool:
        """Whether the collector did what it never should."""
        return self.outcome.startswith(("CRASH", "HANG", "DIED")) or bool(self.forbidden)


class PageReader:
    """Reads single pages of a folder by the real collectors, and watches this process meanwhile.

    Args:
        pages: the folder.
        recipes: their names.
        work: for what is written.
    """

    def __init__(self, pages: Path, recipes: Sequence[str], work: Path) -> None:
        self.pages, self.work = pages, work
        self.collectors = {recipe: _collector(recipe, pages, work) for recipe in recipes}
        self.watch = Watch([pages], [work])

    def __call__(self, address: str, recipe: str) -> Read:
        """Collects a piece of this page alone, and writes it."""
        pieces = PieceFolder(self.work / recipe)
        before = memory_from_here()
        self.watch.taken()
        started = time.process_time()
        try:
            collected = self.collectors[recipe].collect(Piece("one", str(self.pages), (address,)))
            pieces.write("one", collected)
            outcome = "kept" if collected.samples else "dropped"
            for _, why in collected.notes["skipped"]:
                outcome = f"skipped: {why}"
        except Exception:  # all that comes out of a collector is a fault of it
            outcome = f"CRASH {traceback.format_exc(limit=-4)}"
        seconds, forbidden = time.process_time() - started, self.watch.taken()
        return Read(recipe, address, seconds, peak_memory() - before, outcome, forbidden)


def _collector(recipe: str, pages: Path, work: Path) -> Collector:
    settings = preparation_named(recipe).with_overrides([f"source={pages}"]).settings
    return collector_of(settings, work, LocalEngine(1))


def read_here(
    pages: Path, addresses: Sequence[str], recipes: Sequence[str], work: Path
) -> Iterator[Read]:
    """Reads each page by each recipe, in this process."""
    reader = PageReader(pages, recipes, work)
    try:
        for address in addresses:
            yield from (reader(address, recipe) for recipe in recipes)
    finally:
        reader.watch.end()


def read_all(
    pages: Path, addresses: Sequence[str], recipes: Sequence[str], work: Path
) -> Iterator[Read]:
    """Reads each page by each recipe; a process that dies or hangs is replaced by another."""
    process = _Process(pages, recipes, work)
    try:
        for address, recipe in product(addresses, recipes):
            read = process.ask(address, recipe)
            if read.outcome.startswith(("HANG", "DIED")):
                process.end()
                process = _Process(pages, recipes, work)
            yield read
    finally:
        process.end()


class _Process:
    def __init__(self, pages: Path, recipes: Sequence[str], work: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(theirs, pages, recipes, work), daemon=True
        )
        self.process.start()
        theirs.close()
        self.pipe.recv()

    def ask(self, address: str, recipe: str) -> Read:
        self.pipe.send((address, recipe))
        try:
            if self.pipe.poll(HANGS_AFTER):
                answer: Read = self.pipe.recv()
                return answer
        except EOFError:
            self.process.join()
            why = f"DIED with exit code {self.process.exitcode}"
            return Read(recipe, address, 0.0, 0, why)
        return Read(recipe, address, HANGS_AFTER, 0, f"HANG: no answer in {HANGS_AFTER:.0f} s")

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(pipe: Connection, pages: Path, recipes: Sequence[str], work: Path) -> None:
    sys.dont_write_bytecode = True
    reader = PageReader(pages, recipes, work)
    pipe.send("ready")
    with contextlib.suppress(EOFError):
        while True:
            pipe.send(reader(*pipe.recv()))
