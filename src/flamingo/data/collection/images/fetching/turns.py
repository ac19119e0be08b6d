"""Whose turn it is to ask a host: all threads and processes that share a folder wait in line."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class HostTurns:
    """Keeps requests to one host apart and few at a time.

    Args:
        folder: with small files for each host, on a disk of this machine.
        per_host: requests at a time.
    """

    folder: Path
    per_host: int = 1

    @contextmanager
    def turn(self, host: str, delay: float) -> Iterator[None]:
        """Waits until a host may be asked; others wait as long as this lasts.

        Args:
            host: whichever name tells hosts apart.
            delay: seconds between the beginnings of two requests.
        """
        place = self._place(host)
        slot = self._slot(place)
        try:
            time.sleep(_reserved(place / "next", delay))
            yield
        finally:
            # Closing gives the lock back.
            os.close(slot)

    def postpone(self, host: str, seconds: float) -> None:
        """Makes all that are about to ask a host wait for so long from now on."""
        with _locked(self._place(host) / "next") as file:
            _write(file, max(_read(file), time.time() + seconds))

    def _place(self, host: str) -> Path:
        place = self.folder / hashlib.sha256(host.encode("utf-8", "replace")).hexdigest()[:24]
        place.mkdir(parents=True, exist_ok=True)
        return place

    def _slot(self, place: Path) -> int:
        files = [_opened(place / f"slot-{number}") for number in range(self.per_host)]
        chosen = None
        for file in files:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                chosen = file
                break
            except BlockingIOError:
                continue
        if chosen is None:
            chosen = files[threading.get_ident() % self.per_host]
            fcntl.flock(chosen, fcntl.LOCK_EX)
        for file in files:
            if file != chosen:
                os.close(file)
        return chosen


def _reserved(path: Path, delay: float) -> float:
    """Takes the next free moment, and says in how many seconds it is."""
    with _locked(path) as file:
        now = time.time()
        start = max(now, _read(file))
        _write(file, start + delay)
    return start - now


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    file = _opened(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def _read(file: int) -> float:
    try:
        return float(os.pread(file, 64, 0) or 0)
    except ValueError:
        return 0.0


def _write(file: int, moment: float) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, repr(moment).encode(), 0)
