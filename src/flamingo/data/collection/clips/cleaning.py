"""Captions without what is not said: tags, names of speakers, sounds, and lines shown twice."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from flamingo.data.collection.clips.lines import CaptionLine

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,100}>|<[\d:.,]{4,20}>|\{\\[^{}]{0,100}\}")
_SOUND = re.compile(r"\[[^\[\]]{0,100}\]|\*[A-Za-z ]{2,40}\*")
_IN_BRACKETS = re.compile(r"\(([^()]{0,100})\)")
_SOUND_WORDS = (
    "music musical applause applauding laughter laughs laughing laugh chuckles cheering cheers "
    "inaudible indistinct unintelligible silence sighs sigh gasps coughs coughing crying sobs "
    "screaming screams shouting whispering singing sings speaking foreign clapping clicks beep "
    "beeping noise sound sounds playing upbeat dramatic intro outro"
)
_SOUNDS = frozenset(_SOUND_WORDS.split())
_SONG = re.compile("[♪♫♬♩]")
_SPEAKER = re.compile(r"^\s*(?:(?:>{2,}|[-–—])\s*)*(?:[A-Z][A-Z0-9 .'’-]{1,30}:\s)?")
_TOUCHING = 0.5
"""Seconds between captions that belong to one text that rolls over the screen."""


def cleaned_lines(lines: Sequence[CaptionLine]) -> list[CaptionLine]:
    """Lines as they are said; those of which nothing is left are dropped.

    Out go tags and times inside of lines, speakers ("JOHN: ", ">> ", "- "), sounds ("[Music]",
    "(applause)"), and whole lines that are sung (♪). Captions that roll, as YouTube has them, show
    each line two or three times; only the first time counts. So a line that is said twice without
    a pause is there once.

    Args:
        lines: in order of their times.
    """
    found: list[CaptionLine] = []
    before: list[str] = []
    before_end = float("-inf")
    for line in lines:
        shown = [text for one in line.text.split("\n") if (text := cleaned_text(one))]
        new = _without_repeated(before, shown) if line.start - before_end < _TOUCHING else shown
        if new:
            found.append(CaptionLine(line.start, line.end, " ".join(new)))
        if shown:
            before, before_end = shown, max(line.end, before_end)
    return found


def cleaned_text(text: str) -> str:
    """One line of a caption as it is said; empty if it is a sound, or sung."""
    text = html.unescape(_TAG.sub("", text))
    if _SONG.search(text):
        return ""
    text = _IN_BRACKETS.sub(_unless_sound, _SOUND.sub(" ", text))
    text = _SPEAKER.sub("", text)
    text = " ".join(text.split())
    return text if any(one.isalnum() for one in text) else ""


def _unless_sound(match: re.Match[str]) -> str:
    words = re.findall(r"[^\W_]+", match[1].lower())
    is_sound = not words or match[1].isupper() or any(word in _SOUNDS for word in words)
    return " " if is_sound else match[0]


def _without_repeated(before: Sequence[str], shown: Sequence[str]) -> list[str]:
    """The lines of a caption that were not in the one before it."""
    for count in range(min(len(before), len(shown)), 0, -1):
        if list(before[-count:]) == list(shown[:count]):
            return list(shown[count:])
    if before and shown and shown[0].startswith(f"{before[-1]} "):
        # A caption that grows word by word.
        return [shown[0][len(before[-1]) + 1 :], *shown[1:]]
    return list(shown)
