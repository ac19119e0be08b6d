"""Dates and places taken out of captions, where their form shows what they are.

The paper says that irrelevant dates and locations were removed from the captions of LTIP and VTP,
and not how. These rules need no list of names, so they leave what only such a list could tell.

Paper: Sec. 3.1, App. A.3.
"""

from __future__ import annotations

import re

_MONTHS = (
    "Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    "Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?"
)
_WEEKDAYS = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Mon|Tue|Wed|Thu|Fri|Sat|Sun"
# Written in small letters, "may" and "march" are words.
_MONTH = rf"(?:{_MONTHS}|{_MONTHS.upper()})\.?"
_WEEKDAY = rf"(?:{_WEEKDAYS}|{_WEEKDAYS.upper()})\.?"
_YEAR = r"(?:1[89]|20)\d\d"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DAY_AND_MONTH = rf"(?:{_MONTH}\s{_DAY}|{_DAY}(?:\sof)?\s{_MONTH})"
_WRITTEN = (
    # Without a year, and before a name, it is part of that: "25 April Bridge".
    rf"(?:{_WEEKDAY},?\s)?(?:{_DAY_AND_MONTH},?\s{_YEAR}|{_DAY_AND_MONTH}(?!\s[A-Z][a-z])|"
    rf"{_MONTH},?\s{_YEAR})"
)
_NUMERIC = (
    # With points and two digits for the year it may be a version as well.
    rf"{_YEAR}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]{_YEAR}|"
    rf"\d{{1,2}}/\d{{1,2}}/\d\d"
)
_DATE = re.compile(
    r"(?:,\s?|\b(?i:on|in|from|since|dated|taken|as of)\s){0,3}"
    rf"[(\[]?\b(?:{_WRITTEN}|{_NUMERIC}|(?<=\b[Ii]n\s){_YEAR})\b[)\]]?"
)

# A point belongs to a name where that is short: "St. Louis", "D.C."; else it ends a sentence.
_NAME = r"(?:[A-Z]\w{0,2}\.(?:[A-Z]\.)*|[A-Z][\w'’-]*)"
_NAMES = rf"{_NAME}(?:\s(?:of|the|de|la|upon)\s{_NAME}|\s{_NAME}){{0,3}}"
_DATELINE = re.compile(
    r"^[A-Z][A-Z .'’-]{2,40}(?:,\s?[A-Z][A-Z .'’-]{1,40}){0,2}\s?(?:[-–—:]|--)\s"
)
_PLACE = re.compile(
    # Two names with a comma: "in Paris, France". One name alone may be anything.
    rf"(?:,\s?)?\b(?:in|at|near|outside|around)\s{_NAMES}(?:,\s{_NAMES}){{1,2}}(?=\s?[.,;:]|\s?$)"
)
_EMPTY_BRACKETS = re.compile(r"\(\s*[,;]?\s*\)|\[\s*[,;]?\s*\]")
_SPACE_BEFORE = re.compile(r"\s+(?=[,.;:!?])")
_TWO_MARKS = re.compile(r"[,;:–—-](?:\s?[,;:])*\s?(?=[.,;:])")
_FEWEST_LETTERS = 3


def without_dates(text: str) -> str:
    """A caption without its dates, and without the words that led up to them.

    Removed are full dates ("on Monday, March 3, 2019", "3 March", "2019-03-03"), months with a
    year, and years after "in". Other numbers stay.
    """
    return _tidied(_DATE.sub("", text), text)


def without_places(text: str) -> str:
    """A caption without places that their form betrays.

    Removed are datelines in capital letters ("LONDON, ENGLAND - ") and what stands as "in Paris,
    France" before a punctuation mark or at the end. A single name after "in" stays: it may be a
    dress, a film or a language.
    """
    return _tidied(_PLACE.sub("", _DATELINE.sub("", text)), text)


def _tidied(text: str, before: str) -> str:
    """What is left, without the marks that have lost what they set apart."""
    if text == before:
        return text
    text = _SPACE_BEFORE.sub("", _EMPTY_BRACKETS.sub("", text))
    text = " ".join(_TWO_MARKS.sub("", text).split()).strip(" ,;:-–—")
    return text if len(text.strip(".")) >= _FEWEST_LETTERS else ""
