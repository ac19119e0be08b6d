from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.foundation.errors import ConfigError
from flamingo.sequence import Sees, draw_sees, visual_index
from flamingo.sequence.visual_index import _check_sees


@st.composite
def tagged_tokens(draw: st.DrawFn) -> list[int]:
    """Stretches of text (0) between tags 1, 2, … of one or several tokens each."""
    tokens = [0] * draw(st.integers(0, 4))
    for number in range(1, draw(st.integers(0, 4)) + 1):
        tokens += [number] * draw(st.integers(1, 3)) + [0] * draw(st.integers(0, 3))
    return tokens


def slow_reference(tokens: list[int], position: int, sees: Sees) -> int:
    if tokens[position]:
        return tokens[position]
    before = [number for number in tokens[:position] if number]
    after = [number for number in tokens[position:] if number]
    if sees == "next" and after:
        return min(after)
    return max(before, default=0)


@given(tagged_tokens(), st.sampled_from(["previous", "next"]))
def test_equals_the_definition(tokens: list[int], sees: Sees) -> None:
    expected = [slow_reference(tokens, position, sees) for position in range(len(tokens))]
    assert visual_index(tokens, sees=sees) == expected


@given(tagged_tokens())
def test_never_falls_and_starts_at_nothing(tokens: list[int]) -> None:
    index = visual_index(tokens)
    assert index == sorted(index)
    assert all(index[i] == 0 for i in range(len(tokens)) if not any(tokens[: i + 1]))


@given(tagged_tokens(), st.integers(0, 3))
def test_later_tokens_change_nothing_before_them(tokens: list[int], more: int) -> None:
    longer = tokens + [0] * more + [max(tokens, default=0) + 1]
    assert visual_index(longer)[: len(tokens)] == visual_index(tokens)


def test_the_papers_figure() -> None:
    # A tag of 3 tokens: 8 tokens see nothing, 11 the first visual, 10 the second.
    tokens = [0] * 8 + [1] * 3 + [0] * 8 + [2] * 3 + [0] * 7
    assert visual_index(tokens) == [0] * 8 + [1] * 11 + [2] * 10


def test_the_tail_keeps_the_last_visual() -> None:
    assert visual_index([0, 1, 0, 2, 0], sees="next") == [1, 1, 2, 2, 2]


def test_without_visuals_nothing_is_seen() -> None:
    assert visual_index([0, 0], sees="next") == visual_index([0, 0]) == [0, 0]


def test_a_wrong_choice_is_refused() -> None:
    with pytest.raises(ConfigError, match="sees='all' is not a choice"):
        _check_sees("all")


def test_p_next_is_the_share_of_pages() -> None:
    rng = np.random.default_rng(0)
    assert {draw_sees(rng, 0.0) for _ in range(20)} == {"previous"}
    assert {draw_sees(rng, 1.0) for _ in range(20)} == {"next"}
    share = sum(draw_sees(rng, 0.5) == "next" for _ in range(2000)) / 2000
    assert abs(share - 0.5) < 0.05
    with pytest.raises(ConfigError, match="not a probability"):
        draw_sees(rng, 1.5)
