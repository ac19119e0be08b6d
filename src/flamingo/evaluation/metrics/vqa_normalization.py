"""How answers to visual questions are written alike before they are compared.

What the official code does is kept, not what it means to do:

- A period goes unless a digit follows. The code also tries to spare one after a digit, but its
  `(?!<=\\d)` is no look-behind and holds everywhere.
- At most 32 periods go: the flag `re.UNICODE`, which is 32, is passed where the count belongs.
- Where a comma stands between two digits, all other marks vanish too, instead of leaving a space.
- "none" is a number, 0. Entries with a capital, such as "Im", never match: words are lowercase.
- An apostrophe is no mark, and neither are ":", "'", "$", "%", "&", "*" and "#".
"""

from __future__ import annotations

import re
from functools import lru_cache

_MARKS = ';/[]"{}()=+\\_-><@`,?!'
_COMMA_BETWEEN_DIGITS = re.compile(r"\d,\d")
_PERIOD = re.compile(r"\.(?!\d)")
_MOST_PERIODS = int(re.UNICODE)
_DIGITS = "none:0 zero:0 one:1 two:2 three:3 four:4 five:5 six:6 seven:7 eight:8 nine:9 ten:10"
_NUMBERS = dict(re.findall(r"(\w+):(\d+)", _DIGITS))
_ARTICLES = frozenset({"a", "an", "the"})

_CONTRACTED = """
ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd
how'll how's isn't it'd it'll ma'am might've mightn't must've mustn't needn't not've o'clock
oughtn't shan't should've shouldn't somebody'll somebody's someone'd someone'll someone's
something'd something'll that's there'd there're there's they'd they'll they're they've 'twas
wasn't we've weren't what'll what're what's what've when's where'd where's where've who'd who'll
who's who've why'll why're why's won't would've wouldn't y'all you'd you'll you're you've
"""
"""Written without their apostrophe they get it back. "let's", "she'd" and "we're" are not here."""

_TWICE_CONTRACTED = """
couldn't've hadn't've he'd've it'd've mightn't've 'ow's'at she'd've shouldn't've somebody'd've
someone'd've something'd've there'd've they'd've we'd've who'd've wouldn't've y'all'll y'all'd've
you'd've
"""
"""Where one of their apostrophes is missing they get it back."""


def _contractions() -> dict[str, str]:
    known = {word.replace("'", ""): word for word in _CONTRACTED.split()}
    for word in _TWICE_CONTRACTED.split():
        places = [place for place, letter in enumerate(word) if letter == "'"]
        known |= {word[:place] + word[place + 1 :]: word for place in places}
    # The one entry that takes an apostrophe away.
    return known | {"somebody'd": "somebodyd"}


CONTRACTIONS = _contractions()


@lru_cache(maxsize=2**16)
def normalized(text: str) -> str:
    """An answer as the code of the VQA challenge, and OpenFlamingo's after it, compares it."""
    return with_plain_words(without_marks(one_line(text)))


@lru_cache(maxsize=2**16)
def normalized_as_mmf(text: str) -> str:
    """An answer as MMF's TextVQA evaluator compares it.

    First it becomes lowercase, loses every "," and "?" without a space in their place, and gets
    a space before "'s". So no comma is left between digits, and "1,000/2" becomes "1000 2", which
    the official code makes "10002".
    """
    text = text.lower().replace(",", "").replace("?", "").replace("'s", " 's")
    return with_plain_words(without_marks(one_line(text.strip())))


def one_line(text: str) -> str:
    """The text without line breaks, tabs and space around it."""
    return text.replace("\n", " ").replace("\t", " ").strip()


def without_marks(text: str) -> str:
    """Marks vanish where a space is beside one of their kind, and elsewhere become a space."""
    has_large_number = _COMMA_BETWEEN_DIGITS.search(text) is not None
    cleared = text
    for mark in _MARKS:
        vanishes = has_large_number or f"{mark} " in text or f" {mark}" in text
        cleared = cleared.replace(mark, "" if vanishes else " ")
    return _PERIOD.sub("", cleared, count=_MOST_PERIODS)


def with_plain_words(text: str) -> str:
    """Lowercase, numbers to ten as digits, without articles, contractions with apostrophes."""
    numbered = (_NUMBERS.get(word, word) for word in text.lower().split())
    kept = (word for word in numbered if word not in _ARTICLES)
    return " ".join(CONTRACTIONS.get(word, word) for word in kept)
