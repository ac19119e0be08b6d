"""What is said about a sample: its text, and the names of what it shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flamingo.data.datasets.raw_samples import BrokenSample, RawSample

_TEXT_FIELDS = ("text", "caption")


@dataclass(frozen=True)
class Annotation:
    """What is said about one image or video, or a document.

    Args:
        text: the text to learn, without space around it.
        prompt: what comes before it and is given; empty if there is none.
        media: the name of the image or video, if it is named at all.
    """

    text: str
    prompt: str = ""
    media: str | None = None


def annotation_of(raw: RawSample, *, media_field: str | None = None) -> Annotation:
    """The text of a sample, from its `txt` member or else from its `json` member.

    Args:
        raw: the sample.
        media_field: the JSON field that names what is seen.

    Raises:
        BrokenSample: there is neither, it is unreadable, or the text is empty.
    """
    if "txt" in raw.names:
        return Annotation(_text_in(decoded(raw, "txt"), "txt"))
    if "json" not in raw.names:
        raise BrokenSample(f"it has no text: no member txt or json, only {', '.join(raw.names)}")
    fields = json_object(raw)
    name = next((name for name in _TEXT_FIELDS if name in fields), None)
    if name is None:
        raise BrokenSample(f"json has no field text or caption, only {listed(fields)}")
    prompt = _string(fields, "prompt").strip() if fields.get("prompt") is not None else ""
    named = media_field if media_field in fields else None
    media = _string(fields, named) if named else None
    return Annotation(_text_in(_string(fields, name), f"the field {name}"), prompt, media)


def json_object(raw: RawSample) -> dict[str, Any]:
    """The `json` member of a sample.

    Raises:
        BrokenSample: there is none, or it is no JSON object.
    """
    text = decoded(raw, "json")
    if not text.strip():
        raise BrokenSample("json is empty")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenSample(f"json is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise BrokenSample(f"json holds a {type(value).__name__}, not an object with fields")
    return value


def decoded(raw: RawSample, name: str) -> str:
    """A member as text.

    Raises:
        BrokenSample: there is no such member, or it is not UTF-8.
    """
    content = raw.read(name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenSample(
            f"{name} is not UTF-8: byte 0x{content[error.start]:02x} at position {error.start}"
        ) from error


def checked_string(value: object, what: str) -> str:
    """A value from JSON that has to be text, and text that can be written as UTF-8.

    Raises:
        BrokenSample: it is something else, or has half of a surrogate pair.
    """
    if not isinstance(value, str):
        raise BrokenSample(f"{what} is a {type(value).__name__}, not a string")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        # JSON can write what no text is, and tokenizers fail on it.
        raise BrokenSample(f"{what} has half of a surrogate pair at {error.start}") from error
    return value


def _string(fields: Mapping[str, Any], name: str) -> str:
    return checked_string(fields[name], f"the field {name}")


def _text_in(text: str, what: str) -> str:
    text = text.strip()
    if not text:
        raise BrokenSample(f"{what} is empty: there is no text")
    return text


def listed(fields: Mapping[str, Any]) -> str:
    """The names of the fields that there are, to end an error about one that is not."""
    return ", ".join(map(repr, list(fields)[:10])) or "nothing"
