"""Which image stays of those that look alike is what going through them one by one gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.data.collection.deduplication.near_images import leaders

IMAGES = st.lists(
    st.tuples(st.sets(st.integers(0, 63), max_size=4), st.integers(0, 1)), max_size=12
)


@settings(deadline=None)
@given(IMAGES, st.integers(0, 5))
def test_the_first_stays_and_all_that_look_like_it_go(
    images: list[tuple[set[int], int]], max_distance: int
) -> None:
    looks = [sum(1 << bit for bit in bits) for bits, _ in images]
    groups = [group for _, group in images]
    kept: list[int] = []
    likes, distances = [], []
    for row, (look, group) in enumerate(zip(looks, groups, strict=True)):
        like = next(
            (
                other
                for other in kept
                if groups[other] == group and (looks[other] ^ look).bit_count() <= max_distance
            ),
            row,
        )
        if like == row:
            kept.append(row)
        likes.append(like)
        distances.append((looks[like] ^ look).bit_count())
    found = leaders(np.array(looks, np.uint64), np.array(groups, np.uint64), max_distance)
    assert (found[0].tolist(), found[1].tolist()) == (likes, distances)
