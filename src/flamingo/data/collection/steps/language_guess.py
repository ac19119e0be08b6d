"""Which language a text is likely to be in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from operator import itemgetter
from typing import Any

from resiliparse.parse.lang import detect_fast, supported_langs

MOST_CHARACTERS = 10_000
"""More of a text does not make the guess better."""

LANGUAGES = frozenset(supported_langs())
"""Those that can be told, by their two letters."""

_OTHER_SCRIPTS = (
    "ar as ba be bg bn bo ce cv dv el fa gu he hi hy ja ka kk km kn ko ky mk ml mn mr my ne or pa "
    "ps ru sa sd si sr ta te tg th tt ug uk ur yi zh"
)
_RARE = "br eo fo fy gd io jv la lb mt rm sc vo"
_WRITTEN_OTHERWISE = frozenset(_OTHER_SCRIPTS.split())
_SELDOM_MEANT = frozenset(_RARE.split())

_LETTER = re.compile(r"[^\W\d_]")
_FOREIGN = re.compile(r"[^\W\d_A-Za-zÀ-ɏ]")
_MOST_FOREIGN = 0.25
"""Of a text's letters, those that are not Latin. Far less in what is written in Latin letters; far
more elsewhere, even where names of software are not translated."""
_DOUBT = 30
"""Ranks. English pages of few sentences have been taken for Latin by 25 ranks and fewer."""
_NUM_GUESSES = 8


def guessed_languages(text: str, admitted: Iterable[str] = ()) -> list[tuple[str, int]]:
    """Languages that a text may be in, with their ranks: the lower, the likelier; those first.

    The guess is that of resiliparse (`detect_fast`: which letters go together), among languages
    of the script that the text is in. Some languages are so rare on the Web that guesses of them
    are mostly wrong, Latin above all: these count as less likely than the guess has it.

    Args:
        text: the longer, the better; below 150 characters the guess is poor.
        admitted: rare languages that are as likely here as any other.

    Returns:
        nothing if the text has no letters, or looks like no language.
    """
    text = text[:MOST_CHARACTERS]
    # Text without letters gets guesses too, which mean nothing.
    if not _LETTER.search(text):
        return []
    found: list[Any] = list(
        detect_fast(text, n_results=_NUM_GUESSES, langs=_languages(_is_latin(text)))
    )
    doubtful = _SELDOM_MEANT.difference(admitted)
    guesses = [(code, rank + _DOUBT * (code in doubtful)) for code, rank in found]
    return sorted(guesses, key=itemgetter(1))


def language_code(name: str | None) -> str | None:
    """The two letters of what a page calls its language, "en" of "en-US"; None if unknown."""
    letters = (name or "").strip().lower().replace("_", "-").partition("-")[0]
    return letters if letters in LANGUAGES else None


def _is_latin(text: str) -> bool:
    num_foreign = 0 if text.isascii() else len(_FOREIGN.findall(text))
    return not num_foreign or num_foreign <= _MOST_FOREIGN * len(_LETTER.findall(text))


@cache
def _languages(is_latin: bool) -> list[str]:
    return sorted(LANGUAGES - _WRITTEN_OTHERWISE if is_latin else LANGUAGES & _WRITTEN_OTHERWISE)
