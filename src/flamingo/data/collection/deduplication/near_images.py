"""Images that look like one before them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flamingo.data.collection.deduplication.groups import Keys, Rows
from flamingo.data.near_pairs import near_pairs


def leaders(looks: Keys, groups: Keys, max_distance: int) -> tuple[Rows, npt.NDArray[np.uint8]]:
    """For each image the one that stays and that it looks like; its own position if it stays.

    The first of a group stays; each one after it stays if it looks like none that stays.

    Args:
        looks: perceptual hashes, in order.
        groups: for each image; only those of one group are compared.
        max_distance: bits in which hashes of images may differ that look alike.

    Returns:
        Positions, and in how many bits each differs from the one at its position.
    """
    order = np.lexsort((looks, groups))
    is_new = np.append(True, (np.diff(looks[order]) != 0) | (np.diff(groups[order]) != 0))[
        : len(order)
    ]
    # The sort is stable: of equal hashes in a group the first comes first.
    firsts = order[is_new]
    first_of = np.empty_like(order)
    first_of[order] = np.repeat(firsts, np.diff(np.flatnonzero(is_new), append=len(order)))
    distinct = np.sort(firsts)
    near = near_pairs(looks[distinct], max_distance, groups[distinct])
    likes, distances = np.arange(len(distinct)), np.zeros(len(distinct), np.uint8)
    starts = np.flatnonzero(np.append(True, np.diff(near.first) != 0)[: len(near)])
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(near)], strict=False):
        one = near.first[start]
        if likes[one] != one:
            continue
        others = near.second[start:end]
        is_free = likes[others] == others
        likes[others[is_free]] = one
        distances[others[is_free]] = near.distances[start:end][is_free]
    places = np.searchsorted(distinct, first_of)
    return distinct[likes[places]], distances[places]
