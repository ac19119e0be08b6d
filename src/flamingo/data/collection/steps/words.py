"""Words of a text, and shares of what is in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from flamingo.data.collection.pages import Page

_BARE = re.compile(r"[^\W\d_](?:\S*[^\W\d_])?")
"""From the first letter of a run without white space to its last: one match in each run, so that
the time is linear in the text, whatever the text is."""
_SPECIAL = re.compile(r"[\W\d_]+")
_TOKEN = re.compile(r"[\w']+|([,;:?!.])")
_LETTER = re.compile(r"[^\W\d_]")


def text_of(page: Page) -> str:
    """All texts of a page, an empty line between them."""
    return "\n\n".join(text.text for text in page.texts)


def bare_words(text: str) -> list[str]:
    """Words in small letters, without the digits and signs around them; none of signs alone."""
    return _BARE.findall(text.lower())


def has_letter(word: str) -> bool:
    """Whether a letter is in it, of any alphabet."""
    return word.isalpha() or _LETTER.search(word) is not None


def share_in(words: Sequence[str], known: Collection[str]) -> float:
    """The share of words that are known; 0 of none."""
    return sum(map(known.__contains__, words)) / len(words) if words else 0.0


def special_share(text: str) -> float:
    """The share of characters that are no letters: digits, signs, white space; 0 of none."""
    return sum(map(len, _SPECIAL.findall(text))) / len(text) if text else 0.0


def punctuation_share(text: str, from_tokens: int = 1) -> float:
    """The share of punctuation among words and punctuation marks.

    Args:
        text: any.
        from_tokens: a text with fewer words and marks counts as nothing but marks.
    """
    marks = _TOKEN.findall(text)
    if not marks:
        return 0.0
    return sum(map(bool, marks)) / len(marks) if len(marks) >= from_tokens else 1.0
