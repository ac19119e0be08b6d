"""Whether a short text is in a language: captions are too short for what tells pages apart."""

from __future__ import annotations

import unicodedata

from flamingo.data.collection.steps.language_guess import guessed_languages

LONG = 25
"""Words from which on letters tell something about the language."""
_MOST_FOREIGN = 0.5
"""Share of letters of other scripts that a text may have: names and quotations."""

_FUNCTION_WORDS = {
    "en": (
        "the of and with for from this that are was his her their its an by is on at to "
        "a in i it as or we you he she they not near while"
    ),
    "de": "der das und mit ein eine einen einem auf für von ist nicht dem den im zum zur beim",
    "fr": "le les des du et avec une dans sur est aux cette qui sous chez ses au leur",
    "es": "el los las del y con una para por está sus esta desde como en muy su al",
    "it": "il gli della dello di e con una per nel nella alla che sono dei sul suo degli",
    "pt": "dos da das e com uma para em não na nas nos ao pela pelo seu dos",
    "nl": "het een en voor bij naar zijn deze uit aan niet door ook wordt",
    "pl": "w z dla się nie jest ze przez od oraz",
    "sv": "och med en ett som för av på till är från vid det",
    "da": "og med en et som af på til er fra ved det",
    "tr": "ve bir ile için bu olan çok gibi",
    "id": "dan di yang dengan untuk dari ini pada adalah ke sebuah",
}
"""Frequent words that carry no meaning of their own; one may belong to several languages.

Frequent English words, whatever they mean there, are left out of the others: "die", "met", "pour".
"""
_WORDS = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
_ENOUGH = 0.1
"""Share of function words that only a text in their language has."""
_MARGIN = 40
"""Ranks that the wanted language may be behind the best guess."""
_NEVER = 1 << 30
_FEWEST_FOREIGN = 2
"""One such word may be part of a name: "Plaza del Sol"."""


def other_language(text: str, language: str) -> str | None:
    """Why a text is in another language than this; None if it is not, or if nobody can tell.

    Function words decide: a text is in another language if it has at least two of that one's, and
    more of them than of the wanted one's. A long text with few of the wanted one's is judged by
    its letters too (see `guessed_languages`), which tell more languages but err where a text is
    short or repeats itself. Where the wanted language has Latin letters, a text in others is not
    in it.

    Args:
        text: a caption.
        language: two letters, such as "en".
    """
    words = [word.strip(".,;:!?\"'()[]").lower() for word in text.split()]
    if language in _WORDS and (foreign := _share_of_other_letters(text)) > _MOST_FOREIGN:
        return f"{foreign:.0%} of the letters are not Latin"
    own = _count(words, language)
    others = ((_count(words, name), name) for name in _WORDS if name != language)
    most, name = max(others)
    if language in _WORDS and most >= _FEWEST_FOREIGN and most > own:
        return f"{most} of its words are {name}, {own} {language}"
    if len(words) >= LONG and own < _ENOUGH * len(words):
        return _guessed(text, language)
    return None


def _guessed(text: str, language: str) -> str | None:
    guesses = guessed_languages(text, (language,))
    if not guesses or dict(guesses).get(language, _NEVER) <= guesses[0][1] + _MARGIN:
        return None
    return f"it is in {guesses[0][0]}, not {language}"


def _count(words: list[str], language: str) -> int:
    known = _WORDS.get(language, frozenset())
    return sum(word in known for word in words)


def _share_of_other_letters(text: str) -> float:
    letters = [letter for letter in text if letter.isalpha()]
    other = sum(not unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return other / max(1, len(letters))
