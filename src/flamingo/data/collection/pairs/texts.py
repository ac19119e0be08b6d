"""Texts of pairs: made clean, and refused where they describe no image."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

from flamingo.data.collection.made_samples import Refused, refused
from flamingo.data.collection.pairs.dates_and_places import without_dates, without_places
from flamingo.data.collection.pairs.language import other_language
from flamingo.data.collection.pairs.settings import PairSettings

MAX_LETTERS = 5_000
"""What follows in a longer text is not looked at; no caption is so long."""


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MARKUP = re.compile(r"<image>|<eoc>|<\|[a-z_]{1,30}\|>|</?s>|<video>", re.IGNORECASE)
_FILE_NAME = re.compile(
    r"\S\.(jpe?g|png|gif|webp|bmp|tiff?|svg|heic|avif|psd|mp4|mov|webm)\b", re.IGNORECASE
)
_OF_CAMERA = re.compile(
    r"(img|dsc[nf]?|pxl|image|photo|pic|picture|scan|screenshot|screen shot|untitled|wp|p|vid)"
    r"[\s_-]*[\d][\d\s_.:-]*(\s*at\s[\d.:]+)?(\s*[ap]m)?",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"\b(https?|ftp)://|\bwww\.\w|\b[a-z0-9-]{2,63}\.(com|net|org|info|biz|html?|php)\b|\S@\S+\.\w",
    re.IGNORECASE,
)
_GENERIC = _words_of(
    "image images img photo photos photograph picture pictures pic pics logo logos icon icons "
    "thumbnail thumb banner placeholder avatar spacer loading button screenshot graphic graphics "
    "illustration figure fig gallery slide slideshow attachment file default untitled unnamed "
    "header footer background cover preview profile user alt text caption null none undefined nan "
    "available click here enlarge larger view zoom open full size share tweet facebook twitter "
    "instagram pinterest linkedin youtube rss email print download advertisement ad sponsored more "
    "read next previous prev back home menu search close play video stock vector"
)
_FILLERS = _words_of("a an the of for to in on by no not is this my our your and or with")


def cleaned(text: str, settings: PairSettings) -> str:
    """A text without entities, control characters and superfluous space, on one line.

    Dates and places go too, where the settings say so.
    """
    text = html.unescape(text[:MAX_LETTERS])
    text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode())
    text = "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text)
    text = " ".join(text.split())
    # Dates first: a place often stands before one.
    if settings.remove_dates:
        text = without_dates(text)
    if settings.remove_places:
        text = without_places(text)
    return text


def refusal(text: str, settings: PairSettings) -> Refused | None:
    """Why a cleaned text makes no pair, by the first check that says so; None if it does."""
    for name, check in _CHECKS.items():
        if name in settings.checks and (reason := check(text, settings)):
            return refused(name, reason, text)
    return None


def _words(text: str, settings: PairSettings) -> str | None:
    count = len(text.split())
    if count < settings.min_words or not text:
        return f"{count} words, at least {max(1, settings.min_words)}"
    return f"{count} words, at most {settings.max_words}" if count > settings.max_words else None


def _letters(text: str, settings: PairSettings) -> str | None:
    solid = [one for one in text if not one.isspace()]
    share = sum(one.isalpha() for one in solid) / max(1, len(solid))
    if share >= settings.min_letters:
        return None
    return f"{share:.2f} of it are letters, at least {settings.min_letters:g}"


def _markup(text: str, settings: PairSettings) -> str | None:
    """The trainer refuses texts with a tag of its own in them."""
    found = _MARKUP.search(text)
    return f"it has the tag {found[0]}" if found else None


def _file_name(text: str, settings: PairSettings) -> str | None:
    if found := _FILE_NAME.search(text):
        return f"it has a file name, …{found[0]}"
    return "it is a name that cameras give" if _OF_CAMERA.fullmatch(text) else None


def _generic(text: str, settings: PairSettings) -> str | None:
    words = re.findall(r"[^\W_]+", text.lower())
    telling = [w for w in words if w not in _GENERIC and w not in _FILLERS and not w.isdigit()]
    return None if telling else "all of its words could stand for any image"


def _address(text: str, settings: PairSettings) -> str | None:
    found = _ADDRESS.search(text)
    return f"it has an address, {found[0]}" if found else None


def _language(text: str, settings: PairSettings) -> str | None:
    return None if settings.language is None else other_language(text, settings.language)


_CHECKS: dict[str, Callable[[str, PairSettings], str | None]] = {
    "words": _words,
    "letters": _letters,
    "markup": _markup,
    "file-name": _file_name,
    "generic": _generic,
    "address": _address,
    "language": _language,
}
