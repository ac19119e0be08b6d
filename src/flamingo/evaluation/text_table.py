"""Rows of text as a table, for a document or for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

Rows = Sequence[Sequence[str]]
"""The header first; all of one length."""


def markdown_rows(rows: Rows, num_left: int = 1) -> str:
    """The rows as a table in Markdown; a bar or a line break in a text does not break it.

    Args:
        rows: header first.
        num_left: so many columns hold words and stand left, the others numbers that stand right.
    """
    header, *others = ([_escaped(text) for text in row] for row in rows)
    rule = ["---" if column < num_left else "---:" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *others)) + "\n"


def aligned_rows(rows: Rows, num_left: int = 1) -> str:
    """The rows with columns that stand in line.

    Args:
        rows: header first.
        num_left: so many columns stand left, the others right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            text.ljust(width) if column < num_left else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
