"""White space made single, unseen characters taken out."""

from __future__ import annotations

import re

LINE_BREAK = "\0"
"""Stands for `<br>` in running text; no page can hold it, the parser replaces it."""
_UNSEEN = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
"""Control characters, soft hyphens, and marks of direction and width."""
MARKS_OF_LINKS = "¶\U0001f517"
"""Pages put one of these behind a heading, as a link to it."""


def word_set(words: str) -> frozenset[str]:
    """The words of a list written as one text."""
    return frozenset(words.split())


def single_spaced(text: str) -> str:
    """The text on one line, with one space between words."""
    text = " ".join(text.split())
    return text if text.isprintable() else " ".join(_UNSEEN.sub("", text).split())


def paragraphs(text: str) -> list[str]:
    """Running text as paragraphs: one `<br>` begins a new line, two a new paragraph."""
    if LINE_BREAK not in text:
        text = single_spaced(text)
        return [text] if text else []
    found: list[list[str]] = [[]]
    for line in map(single_spaced, text.split(LINE_BREAK)):
        if line:
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return ["\n".join(lines) for lines in found if lines]


def without_mark(text: str) -> str:
    """A text without the sign that many pages link a heading by."""
    return text.rstrip(MARKS_OF_LINKS + " ")


def code_text(text: str) -> str:
    """Code with its lines and its indentation; no empty lines before and after it."""
    lines = text.replace("\r\n", "\n").split("\n")
    clean = (line if line.isprintable() else _UNSEEN.sub("", line) for line in lines)
    return "\n".join(map(str.rstrip, clean)).strip("\n")
