from __future__ import annotations

from flamingo.miniature.names import HELD_OUT_NAMES, TRAIN_NAMES
from flamingo.miniature.vocabulary import WORDS


def test_the_split_keeps_about_a_fifth_back() -> None:
    share = len(HELD_OUT_NAMES) / len(HELD_OUT_NAMES + TRAIN_NAMES)
    assert 0.15 < share < 0.25


def test_no_name_is_on_both_sides_or_a_word() -> None:
    assert not set(TRAIN_NAMES) & set(HELD_OUT_NAMES)
    assert not set(WORDS) & {*TRAIN_NAMES, *HELD_OUT_NAMES}
