"""Pages whose text is nearly that of another, found by locality-sensitive hashing of MinHashes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flamingo.data.collection.deduplication.corpus import Corpus
from flamingo.data.collection.deduplication.groups import Found, Rows, found_of
from flamingo.data.collection.deduplication.minhash import banding, similarities


def near_texts(corpus: Corpus, pages: Rows, threshold: float) -> Found:
    """Pages that are similar to a page that stays.

    Longer pages are looked at first, of equally long ones the first: each stays if no page that
    stays already is similar to it. So of a chain in which only neighbors are similar every second
    page may stay. A page that goes is told beside the first that stays and is similar.

    It takes time for each page that stays and each other one that shares a band with it. That is
    little but for very many pages of one template whose own texts are about a third of each: they
    share bands and all stay.

    Args:
        corpus: of the pages.
        pages: that are compared, ascending.
        threshold: estimated Jaccard similarity from which on they are similar.
    """
    # From here on a page is known by its rank, best first.
    ranked = pages[np.argsort(-corpus.pages("num_words")[pages], kind="stable")]
    buckets = _Buckets.of(corpus, ranked, threshold)
    likes = np.full(len(ranked), -1, np.int64)
    scores = np.zeros(len(ranked), np.float32)
    for number, rank in enumerate(buckets.ranks):
        if likes[rank] >= 0:
            continue
        others = buckets.after(number)
        others = np.unique(others[likes[others] < 0])
        if len(others) == 0:
            continue
        ours = corpus.minhashes(ranked[rank : rank + 1])[0]
        found = similarities(ours, corpus.minhashes(ranked[others]))
        near = others[found >= threshold]
        likes[near], scores[near] = rank, found[found >= threshold]
    out = np.flatnonzero(likes >= 0)
    return found_of(ranked[out], ranked[likes[out]], scores[out])


@dataclass(frozen=True, eq=False)
class _Buckets:
    """Pages that agree in a band, for all bands; those that are alone in one are left out.

    Attributes:
        members: ranks, bucket by bucket, ascending in each.
        ends: for each member where its bucket ends.
        ranks: all that occur, ascending.
        starts: for each of `ranks` where its own begin in `entries`, and the end of all.
        entries: positions in `members`, rank by rank.
    """

    members: Rows
    ends: Rows
    ranks: Rows
    starts: Rows
    entries: Rows

    @classmethod
    def of(cls, corpus: Corpus, ranked: Rows, threshold: float) -> _Buckets:
        count, size = banding(threshold)
        members, ends, num = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
        for band in range(count):
            inside, lengths = _together(corpus.band(band * size, (band + 1) * size)[ranked])
            members.append(inside)
            ends.append(num + np.repeat(np.cumsum(lengths), lengths))
            num += len(inside)
        every = np.concatenate(members)
        entries = np.argsort(every, kind="stable")
        ranks, firsts = np.unique(every[entries], return_index=True)
        starts = np.append(firsts, len(entries))
        return cls(every, np.concatenate(ends), ranks, starts, entries)

    def after(self, number: int) -> Rows:
        """The worse ones in all buckets of the page `ranks[number]`, some more than once."""
        own = self.entries[self.starts[number] : self.starts[number + 1]]
        return np.concatenate([self.members[place + 1 : self.ends[place]] for place in own])


def _together(keys: npt.NDArray[np.uint64]) -> tuple[Rows, Rows]:
    """The positions whose key is there more than once, key by key, and how many have each key."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    lengths = np.diff(starts, append=len(ordered))
    return order[np.repeat(lengths > 1, lengths)], lengths[lengths > 1]
