"""What is given out of an answer is final."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.serving.answer_text import AnswerText


def decoded(ids: Sequence[int]) -> str:
    """Tokens are bytes here."""
    return bytes(ids).decode(errors="replace")


def pieces(text: str, stop: Sequence[str] = ()) -> tuple[list[str], bool]:
    answer = AnswerText(decoded, stop)
    found = []
    for byte in text.encode():
        found.append(answer.add(byte))
        if answer.is_stopped:
            return found, True
    return [*found, answer.close()], False


def test_characters_come_whole() -> None:
    found, _ = pieces("né")
    assert found == ["n", "", "é", ""]


def test_spaces_are_held_back_until_something_follows() -> None:
    assert pieces("  red  circle ")[0] == [
        *["", "", "r", "e", "d", "", "", "  c", "i", "r", "c", "l", "e", "", ""]
    ]


@pytest.mark.parametrize(
    ("text", "stop", "answer"),
    [
        ("red circle", ["circle"], "red"),
        ("red circle", ["rcle", "ci"], "red"),
        ("red cixxle", ["circle"], "red cixxle"),
        ("a\nb", ["\n"], "a"),
        ("aaab", ["aab"], "a"),
        ("stop", ["stop"], ""),
        ("red ci", ["circle"], "red ci"),
    ],
)
def test_stop_texts(text: str, stop: list[str], answer: str) -> None:
    found, _ = pieces(text, stop)
    assert "".join(found) == answer


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.sampled_from("ab é\n�"), max_size=12),
    st.lists(st.text(st.sampled_from("ab \n"), min_size=1, max_size=3), max_size=2),
)
def test_the_pieces_are_the_answer(text: str, stop: list[str]) -> None:
    found, is_stopped = pieces(text, stop)
    told = text.lstrip()
    places = [told.find(one) for one in stop if one in told]
    # A stop text counts where it is complete first.
    if not places:
        assert "".join(found) == text.strip()
        assert not is_stopped
    else:
        joined = "".join(found)
        assert is_stopped
        assert told.startswith(joined)
        assert all(one not in joined for one in stop)
