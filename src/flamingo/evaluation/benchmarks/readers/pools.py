"""Items of a part, checked to be some and to have different names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flamingo.evaluation.benchmarks.item import Item, Pool
from flamingo.foundation.errors import DataError


def pool_of(items: Iterable[Item], source: Path, candidates: tuple[str, ...] = ()) -> Pool:
    """A pool of these items.

    Args:
        items: in the order of the official file.
        source: the file or folder that they are from, for errors.
        candidates: answers to choose from, where all items share them.

    Raises:
        DataError: there is no item, or two have the same id.
    """
    found = tuple(items)
    if not found:
        raise DataError(
            f"{source} holds nothing for this part.\nGet it again from the benchmark's official "
            "place, and do not change it."
        )
    seen: set[str] = set()
    for item in found:
        if item.id in seen:
            raise DataError(
                f"{source} holds two items with the id {item.id!r}.\nEach must have its own, or "
                "their predictions cannot be told apart. Remove one of them."
            )
        seen.add(item.id)
    return Pool(found, candidates)
