"""Texts that stand on many pages of one domain: menus, notices, invitations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from flamingo.data.collection.deduplication.corpus import Corpus
from flamingo.data.collection.deduplication.groups import Found, Keys, Rows, found_of, sizes
from flamingo.data.collection.deduplication.shingles import mixed

_AT_ONCE = 1 << 24
"""Texts that are counted together, roughly: there are twenty times as many as pages."""


def repeated_paragraphs(corpus: Corpus, is_in: npt.NDArray[np.bool_], max_pages: int) -> Found:
    """Texts that are on more pages of their domain, to the letter.

    Args:
        corpus: of the pages.
        is_in: which pages count.
        max_pages: on which a text may be.
    """
    # Domains are shared out over several rounds, so that memory does not grow with the texts.
    num_rounds = int(corpus.text_starts[-1]) // _AT_ONCE + 1
    rounds = [_of_round(corpus, is_in, max_pages, n, num_rounds) for n in range(num_rounds)]
    return found_of(
        np.concatenate([one.rows for one in rounds]),
        np.concatenate([one.likes for one in rounds]),
        np.concatenate([one.scores for one in rounds]),
    )


def _of_round(
    corpus: Corpus, is_in: npt.NDArray[np.bool_], max_pages: int, number: int, count: int
) -> Found:
    parts = list(_texts(corpus, is_in, number, count))
    empty = np.empty(0, np.int64)
    rows = np.concatenate([empty, *(part[0] for part in parts)])
    pages = np.concatenate([empty, *(part[1] for part in parts)])
    keys = np.concatenate([empty.astype(np.uint64), *(part[2] for part in parts)])
    counts, firsts = sizes(keys, pages)
    many = counts > max_pages
    return found_of(rows[many], rows[firsts[many]], counts[many])


def _texts(
    corpus: Corpus, is_in: npt.NDArray[np.bool_], number: int, count: int
) -> Iterator[tuple[Rows, Rows, Keys]]:
    """Of each piece the texts whose turn it is: rows, pages, and keys of text and domain."""
    for piece, table in enumerate(corpus.tables):
        start, end = (int(row) for row in corpus.page_starts[piece : piece + 2])
        domains = mixed(table.numbers("domain"))
        is_ours = is_in[start:end] & (domains % np.uint64(count) == np.uint64(number))
        owners = np.repeat(np.arange(end - start), table.num_texts)
        ours = np.flatnonzero(is_ours[owners])
        keys = mixed(table.items("texts")[ours] + domains[owners[ours]])
        yield ours + corpus.text_starts[start], owners[ours] + start, keys
