"""What a store of samples gives: a sample's members as bytes, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from flamingo.foundation.errors import DataError


class BrokenSample(DataError):  # noqa: N818 (what it is, not what happened)
    """One sample cannot be used: it is counted, named and replaced by another.

    Args:
        reason: why, in one line.
        where: which sample, if whoever catches this cannot know.
    """

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.where = where


@dataclass(frozen=True)
class RawSample:
    """One sample, before anything in it is understood.

    Args:
        where: which one it is, for reports: a shard and a key, a file, or a file and a line.
        names: its members, each by what follows the key and a dot: `jpg`, `0.jpg`, `json`.
        read: the bytes of a member, by such a name or by the whole name of a file; raises
            `BrokenSample` if there is none.
    """

    where: str
    names: tuple[str, ...]
    read: Callable[[str], bytes]


@runtime_checkable
class Store(Protocol):
    """Samples by number, in a fixed order; safe to be taken along into worker processes."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The shards that are gone, or no longer what they were."""
        ...

    @property
    def fingerprint(self) -> str:
        """Two stores with the same samples under the same numbers have the same."""
        ...

    def __len__(self) -> int:
        """How many samples there are, broken ones included."""
        ...

    def __getitem__(self, number: int) -> RawSample:
        """The sample of a number.

        Raises:
            BrokenSample: this one cannot be used.
            DataError: more shards are gone than may be.
        """
        ...


def printable(text: str) -> str:
    """A name from a file, with bytes that are no text written out: reports must not fail on it."""
    return text.encode("utf-8", "backslashreplace").decode()
