"""The captions of one video, from a file of any form that is known here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from resiliparse.parse.encoding import bytes_to_str, detect_encoding

from flamingo.data.collection.clips.asr_json import json_of, spoken_lines
from flamingo.data.collection.clips.cleaning import cleaned_lines
from flamingo.data.collection.clips.cutting import cut_clips
from flamingo.data.collection.clips.lines import Clip
from flamingo.data.collection.clips.settings import ClipSettings
from flamingo.data.collection.clips.timed_text import timed_lines
from flamingo.data.collection.made_samples import Refused
from flamingo.data.collection.sources.safe_paths import path_below, read_bounded
from flamingo.foundation.errors import DataError

TIMED = (".vtt", ".srt", ".json")
"""Endings of captions with times, the likeliest to be good first."""
WHOLE = ".txt"
"""The ending of one caption for a whole video."""
INFO = ".info.json"
"""What programs that download videos call what they know about one."""
MAX_BYTES = 32 << 20

_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# As in "en", "en-US", "zh-Hans-CN" and "en-orig"; not as in "info".
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3}")
_KEPT = {"webpage_url": "url", "license": "license", "title": "title", "language": "language"}


def clips_of_file(root: Path, name: str, settings: ClipSettings) -> list[Clip | Refused]:
    """The clips that a file of captions stands for; without times it is about a whole video.

    Raises:
        DataError: the file cannot be read, or understood.
    """
    content = _read(root, name)
    if name.lower().endswith(WHOLE):
        return [Clip(0.0, None, " ".join(as_text(content).split()))]
    if name.lower().endswith(".json"):
        return clips_of_json(json_of(content, name), name, settings)
    lines = timed_lines(as_text(content))
    if not lines:
        raise DataError(f"{name} has no captions with times.")
    return list(cut_clips(cleaned_lines(lines), settings))


def clips_of_json(value: Any, name: str, settings: ClipSettings) -> list[Clip | Refused]:
    """The clips that a JSON value stands for; one with a text and no times is about a whole video.

    Raises:
        DataError: it is of no form that is known here.
    """
    lines = spoken_lines(value)
    if lines is not None:
        return list(cut_clips(cleaned_lines(lines), settings))
    if isinstance(value, Mapping):
        for field in ("text", "caption"):
            if isinstance(value.get(field), str):
                return [Clip(0.0, None, " ".join(value[field].split()))]
    raise DataError(f"{name} holds neither captions with times nor a text.")


def info_of(root: Path, name: str | None) -> dict[str, Any]:
    """What is known about a video beside its captions, from the file of its downloader."""
    if name is None:
        return {}
    try:
        value = json_of(_read(root, name), name)
    except DataError:
        # The video can be used without it.
        return {}
    if not isinstance(value, Mapping):
        return {}
    return {
        ours: value[theirs] for theirs, ours in _KEPT.items() if isinstance(value.get(theirs), str)
    }


def best_captions(names: Sequence[str], stem: str, language: str | None) -> str | None:
    """The file of captions to take for a video, of those that lie beside it.

    `a.en.vtt` is preferred to `a.en-US.vtt`, that to `a.vtt`, and that to other languages; then
    WebVTT to SubRip, and that to JSON; a caption of the whole video comes last.

    Args:
        names: of files, each beginning with `stem` and a dot.
        stem: the name of the video without its ending.
        language: that is wanted.
    """

    kinds = (*TIMED, WHOLE)
    ranked: list[tuple[bool, int, int, str]] = []
    for name in names:
        *spoken, last = name[len(stem) + 1 :].lower().split(".")
        ending = f".{last}"
        if ending not in kinds or not all(_LANGUAGE.fullmatch(one) for one in spoken):
            continue
        wanted = _distance(spoken[0] if spoken else "", language)
        ranked.append((ending == WHOLE, wanted, kinds.index(ending), name))
    return min(ranked)[-1] if ranked else None


def _distance(spoken: str, wanted: str | None) -> int:
    """How far captions that say that they are in a language are from the wanted one."""
    if not spoken:
        return 0 if wanted is None else 2
    if wanted is None:
        return 1
    return 0 if spoken == wanted else 1 if spoken.partition("-")[0] == wanted else 3


def as_text(content: bytes) -> str:
    """A text file of unknown encoding; what is no letter in it becomes a mark that says so."""
    for mark, encoding in _BOMS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return str(bytes_to_str(content, detect_encoding(content) or "utf-8", errors="replace"))


def _read(root: Path, name: str) -> bytes:
    place = path_below(root, name)
    if place is None:
        raise DataError(f"{name} is gone, no file, or outside of the folder.")
    return read_bounded(place, MAX_BYTES)
