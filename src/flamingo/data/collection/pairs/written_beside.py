"""What is written beside an image: its caption in a `txt` file, or in a `json` file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flamingo.data.collection.pairs.columns import kept_fields, text_column, texts_in
from flamingo.data.collection.pairs.settings import Columns
from flamingo.data.datasets.raw_samples import BrokenSample
from flamingo.foundation.errors import FlamingoError, reason


def caption_of(
    written: Mapping[str, bytes], settings: Columns
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The captions in the files beside an image, and the fields worth keeping.

    As where a training reads such files, a `txt` goes before the text in a `json`; the `json` then
    still says where the image is from.

    Args:
        written: the bytes of the files, by `txt` and `json`.
        settings: which fields are what.

    Raises:
        BrokenSample: there is no caption, or it is not UTF-8.
    """
    plain = _object(written["json"]) if "json" in written else {}
    fields = kept_fields(plain, settings)
    if "txt" in written:
        return (_decoded(written["txt"], "txt"),), fields
    if not plain:
        raise BrokenSample("it has no text: neither a txt nor a json with fields is beside it")
    try:
        column = text_column(list(plain), settings, "the json")
    except FlamingoError as error:
        raise BrokenSample(reason(error)) from error
    texts = texts_in(plain[column])
    if texts is None:
        raise BrokenSample(f"the field {column} holds a {type(plain[column]).__name__}, no text")
    return texts, fields


def _object(content: bytes) -> dict[str, Any]:
    """The fields of a JSON object; none where it is something else, or damaged."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenSample(f"the {name} is not UTF-8 at byte {error.start}") from error
