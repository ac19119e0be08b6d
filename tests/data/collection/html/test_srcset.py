"""Lists of files for one image."""

from __future__ import annotations

import pytest

from flamingo.data.collection.html.srcset import MAX_CANDIDATES, choose, parse_srcset


@pytest.mark.parametrize(
    ("srcset", "width", "chosen"),
    [
        ("a.jpg 320w, b.jpg 1024w, c.jpg 2048w", None, "b.jpg"),
        ("c.jpg 2048w,b.jpg 1500w", None, "b.jpg"),
        ("a.jpg, b.jpg 2x", None, "a.jpg"),
        ("a.jpg 1x, b.jpg 2x, c.jpg 3x", 400, "b.jpg"),
        ("w_300,h_200/a.jpg 300w, w_600,h_400/a.jpg 600w", None, "w_600,h_400/a.jpg"),
        ("a.jpg 100w, b.jpg", None, "a.jpg"),
        (" ,, a.jpg ,", None, "a.jpg"),
        ("a.jpg -5w, b.jpg nanx", None, "a.jpg"),
        ("", None, None),
        (" , ", None, None),
    ],
)
def test_the_widest_that_is_not_too_wide(
    srcset: str, width: int | None, chosen: str | None
) -> None:
    assert choose(parse_srcset(srcset), width) == chosen


def test_long_lists_are_cut() -> None:
    assert len(parse_srcset("a 1w," * 1_000)) == MAX_CANDIDATES
    assert parse_srcset("a 1w," * 100_000) == []
