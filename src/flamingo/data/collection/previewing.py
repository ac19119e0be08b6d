"""Chooses pages to look at, and takes them through the steps."""

from __future__ import annotations

from flamingo.data.collection.page_collector import PageCollector
from flamingo.data.collection.preview import Looked
from flamingo.data.skipping import Skipped


def looked_at(collector: PageCollector, num: int) -> list[Looked]:
    """Pages at equal distances over the whole input, until so many of them are kept.

    At most five times as many are looked at, so that strict rules do not make it endless.

    Args:
        collector: that would prepare them.
        num: documents to be kept.
    """
    pieces = collector.pieces()
    chosen = pieces[:: max(1, len(pieces) // (5 * num))]
    per_piece = -(-5 * num // len(chosen))
    found: list[Looked] = []
    for piece in chosen:
        way = collector.way(piece)
        for position, raw in enumerate(collector.source.read(piece)):  # type: ignore[arg-type]
            if position == per_piece:
                break
            page = collector.read(raw)
            if isinstance(page, Skipped):
                continue
            left, removals = way(page)
            found.append(Looked(page.address, left, page, removals))
            if sum(one.page is not None for one in found) == num:
                return found
    return found
