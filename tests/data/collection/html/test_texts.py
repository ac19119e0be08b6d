"""White space, line breaks, unseen characters."""

from __future__ import annotations

from flamingo.data.collection.html.texts import (
    LINE_BREAK,
    code_text,
    paragraphs,
    single_spaced,
    without_mark,
)


def test_white_space_is_made_single() -> None:
    assert single_spaced(" a \n\t b\xa0\u2003c ") == "a b c"
    assert single_spaced("\u200b\ufeff \xad") == ""
    assert single_spaced("hy\xadphen\u200bs") == "hyphens"
    assert single_spaced("می\u200cخواهم 👩\u200d🔬") == "می\u200cخواهم 👩\u200d🔬"


def test_one_break_is_a_line_and_two_are_a_paragraph() -> None:
    text = f"{LINE_BREAK}one {LINE_BREAK} two{LINE_BREAK}\n{LINE_BREAK}three{LINE_BREAK}"
    assert paragraphs(text) == ["one\ntwo", "three"]
    assert paragraphs(LINE_BREAK * 3) == []


def test_code_keeps_lines_and_indentation() -> None:
    assert code_text("\n\ndef f():\r\n\treturn 1   \n\n") == "def f():\n\treturn 1"


def test_marks_of_links_go() -> None:
    assert without_mark("Usage ¶") == "Usage"
    assert without_mark("C#") == "C#"
