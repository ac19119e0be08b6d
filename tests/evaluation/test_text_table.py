from __future__ import annotations

from flamingo.evaluation.text_table import aligned_rows, markdown_rows

ROWS = [["task", "score"], ["a|b\nc", "1.0"]]


def test_a_bar_or_a_line_break_does_not_break_the_table() -> None:
    assert markdown_rows(ROWS) == "| task | score |\n| --- | ---: |\n| a\\|b c | 1.0 |\n"


def test_columns_stand_in_line() -> None:
    assert aligned_rows([["task", "n"], ["color", "12"]]) == "task    n\ncolor  12\n"
