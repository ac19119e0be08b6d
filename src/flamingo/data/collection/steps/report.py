"""What a step has let through and taken out, over all pages, with examples to look at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from heapq import nsmallest
from typing import Any

from flamingo.data.collection.pages import Outcome, Page, Removal, What
from flamingo.data.collection.steps.removing import shortened
from flamingo.foundation.errors import DataError
from flamingo.foundation.records import from_plain, to_plain

_NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?%?(?![\w-])")
"""A number that stands alone: not the one in "2-gram"."""


@dataclass(frozen=True)
class Counts:
    """How much there is."""

    pages: int = 0
    images: int = 0
    words: int = 0

    @classmethod
    def of(cls, page: Page | None) -> Counts:
        """What is on a page; nothing, if the page is out."""
        return cls() if page is None else cls(1, len(page.images), page.num_words)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.pages + other.pages, self.images + other.images, self.words + other.words
        )


@dataclass(frozen=True)
class Example:
    """Something that was taken out.

    Attributes:
        address: of its page.
        example: what it was; see `Removal`.
        reason: why, with the numbers.
    """

    address: str
    example: str
    reason: str

    @property
    def rank(self) -> tuple[str, str, str, str]:
        """As good as random, but the same everywhere; the lowest ones are kept."""
        key = f"{self.address}\0{self.example}".encode("utf-8", "surrogatepass")
        return (blake2b(key, digest_size=8).hexdigest(), self.address, self.example, self.reason)


@dataclass(frozen=True)
class Removed:
    """What was taken out for one reason.

    Attributes:
        what: kind of thing.
        reason: without its numbers: "aspect ratio #, at most #".
        num: how many.
        examples: some of them, by rank.
    """

    what: What
    reason: str
    num: int
    examples: tuple[Example, ...]

    def merged(self, other: Removed, most: int) -> Removed:
        """Both together, with the lowest examples of both."""
        examples = sorted({*self.examples, *other.examples}, key=lambda example: example.rank)
        return Removed(self.what, self.reason, self.num + other.num, tuple(examples[:most]))


@dataclass
class StepReport:
    """What went into a step, what came out, and why the rest did not.

    Reports of several processes are merged, in any order, to the one that a single process gives.

    Args:
        name: of the step.
        source: where its rule is from.
        num_examples: that are kept for each reason.
        before: what went in.
        after: what came out.
        removed: by kind and reason, in the order of their names once merged or made plain.
    """

    name: str
    source: str = ""
    num_examples: int = 3
    before: Counts = Counts()
    after: Counts = Counts()
    removed: dict[str, Removed] = field(default_factory=dict)

    def add(self, page: Page, outcome: Outcome, before: Counts | None = None) -> Counts:
        """Counts what the step made of a page.

        Args:
            page: what went in.
            outcome: what came out.
            before: what is on the page, if that has been counted.

        Returns:
            what is on the page that came out: `before` of the next step.
        """
        before = Counts.of(page) if before is None else before
        after = before if outcome.page is page else Counts.of(outcome.page)
        self.before += before
        self.after += after
        groups: dict[tuple[What, str], list[Removal]] = {}
        for removal in outcome.removals:
            groups.setdefault((removal.what, without_numbers(removal.reason)), []).append(removal)
        address = shortened(page.address)
        for (what, group), removals in groups.items():
            # Together: a hostile page has hundreds of thousands of things to take out.
            found = {Example(address, shortened(one.example), one.reason) for one in removals}
            examples = nsmallest(self.num_examples, found, key=lambda example: example.rank)
            self._put(Removed(what, group, len(removals), tuple(examples)))
        return after

    def merge(self, other: StepReport) -> StepReport:
        """The report on the pages of both.

        Raises:
            DataError: they are reports on different steps, or keep different numbers of examples.
        """
        mine = (self.name, self.source, self.num_examples)
        theirs = (other.name, other.source, other.num_examples)
        if mine != theirs:
            raise DataError(f"Reports on {mine} and {theirs} cannot be merged: they differ.")
        merged = StepReport(*mine, self.before + other.before, self.after + other.after)
        for removed in (*self.removed.values(), *other.removed.values()):
            merged._put(removed)
        merged.removed = dict(sorted(merged.removed.items()))
        return merged

    def to_plain(self) -> dict[str, Any]:
        """As plain data, the same whatever the order of the pages was."""
        plain: dict[str, Any] = to_plain(self)
        plain["removed"] = dict(sorted(plain["removed"].items()))
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> StepReport:
        """The report that `to_plain` was called on.

        Raises:
            ConfigError: fields are missing, unknown or of other types.
        """
        return from_plain(cls, plain)

    def _put(self, removed: Removed) -> None:
        key = f"{removed.what}: {removed.reason}"
        there = self.removed.get(key)
        self.removed[key] = there.merged(removed, self.num_examples) if there else removed


@lru_cache(maxsize=4_096)
def without_numbers(reason: str) -> str:
    """A reason as one of a kind: "aspect ratio 4.2, at most 3" as "aspect ratio #, at most #"."""
    return _NUMBER.sub("#", reason)


def merge_reports(several: Iterable[Iterable[StepReport]]) -> list[StepReport]:
    """The reports on a row of steps, of several processes, merged step by step.

    Raises:
        DataError: the rows are not of the same steps.
    """
    merged: list[StepReport] = []
    for reports in map(list, several):
        if not merged:
            merged = [report.merge(StepReport(*_identity(report))) for report in reports]
            continue
        if len(reports) != len(merged):
            raise DataError(
                f"Reports on {len(merged)} and on {len(reports)} steps cannot be merged."
            )
        merged = [mine.merge(other) for mine, other in zip(merged, reports, strict=True)]
    return merged


def _identity(report: StepReport) -> tuple[str, str, int]:
    return (report.name, report.source, report.num_examples)
