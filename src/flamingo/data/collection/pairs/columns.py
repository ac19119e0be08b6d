"""Which column of a table, or field of an object, holds what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flamingo.data.collection.made_samples import Refused, refused
from flamingo.data.collection.pairs.records import CaptionRecord
from flamingo.data.collection.pairs.settings import FIELDS, Columns
from flamingo.foundation.errors import ConfigError, DataError, nearest

_MEDIA = (
    "image", "video", "jpg", "jpeg", "png", "webp", "image_path", "img_path", "video_path",
    "image_bytes", "bytes", "file_name", "filename", "filepath", "file", "path", "image_url",
    "img_url", "video_url", "url", "uri",
)  # fmt: skip
_TEXT = (
    "caption", "text", "captions", "texts", "alt_text", "alt", "description", "raw_caption",
    "sentence", "sentences", "sentences_raw", "title",
)  # fmt: skip
_MEANS = {
    "url": ("url", "image_url", "img_url", "video_url", "uri", "coco_url"),
    "page": ("page", "page_url", "context_page", "document_url"),
    "license": ("license", "licence"),
}
"""Columns that hold a field of `FIELDS` under another name."""
_MAX_TEXTS = 100


def named(columns: Sequence[str], settings: Columns, where: str) -> tuple[str, str]:
    """The names of the columns with the media and with the text.

    Raises:
        ConfigError: a column that the settings name is not there.
        DataError: nothing tells which it is.
    """
    media = _one(columns, settings.media, _MEDIA, "media", where)
    return media, text_column(columns, settings, where)


def text_column(columns: Sequence[str], settings: Columns, where: str) -> str:
    """The name of the column with the text.

    Raises:
        ConfigError: the column that the settings name is not there.
        DataError: nothing tells which it is.
    """
    return _one(columns, settings.text, _TEXT, "text", where)


def _one(
    columns: Sequence[str], wanted: str | int | None, known: Sequence[str], what: str, where: str
) -> str:
    if isinstance(wanted, int):
        if wanted >= len(columns):
            raise ConfigError(
                f"{where} has {len(columns)} columns, so there is no columns.{what}={wanted}.\n"
                "The first one is 0."
            )
        return columns[wanted]
    if wanted is not None:
        if wanted not in columns:
            raise ConfigError(f"{where} has no column {wanted!r}. {nearest(wanted, columns)}")
        return wanted
    lower = {name.strip().lower(): name for name in reversed(columns)}
    for name in known:
        if name in lower:
            return lower[name]
    raise DataError(
        f"{where} has no column that is known to hold the {what}, only "
        f"{', '.join(map(repr, columns[:20])) or 'none'}.\nName it: columns.{what}=NAME."
    )


def record_of(
    number: int, row: Mapping[str, Any], media: str, text: str, settings: Columns, where: str
) -> CaptionRecord | Refused:
    """A record of a row that was read.

    Args:
        number: of the row, from 0.
        row: values by column.
        media: the column with the image or video: a path, a URL, bytes, or an object with `bytes`
            and `path`, as HF datasets has it.
        text: the column with the caption, or a list of captions.
        settings: which columns are kept.
        where: of the row, for reports.
    """
    texts = texts_in(row.get(text))
    if texts is None:
        kind = type(row.get(text)).__name__
        return refused("record", f"the column {text} holds no text but a {kind}", where)
    address, content = _media(row.get(media))
    fields = kept_fields(row, settings)
    address = address or str(fields.get("url") or "")
    if not address and content is None:
        return refused("record", f"the column {media} is empty", where)
    return CaptionRecord(number, texts, address, content, fields)


def texts_in(value: Any) -> tuple[str, ...] | None:
    """The captions in a cell or a field: a text, or a list of them; None if it is neither."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return tuple(value[:_MAX_TEXTS])
    return None


def _media(value: Any) -> tuple[str, bytes | None]:
    if isinstance(value, bytes):
        return "", value
    if isinstance(value, str):
        return value.strip(), None
    if isinstance(value, Mapping):
        address, content = value.get("path"), value.get("bytes")
        return (
            address.strip() if isinstance(address, str) else "",
            content if isinstance(content, bytes) else None,
        )
    return "", None


def kept_fields(row: Mapping[str, Any], settings: Columns) -> dict[str, Any]:
    """The values that a sample keeps, under the names of `FIELDS` or as the settings name them."""
    lower = {name.strip().lower(): name for name in reversed(list(row))}
    found: dict[str, Any] = {}
    for field in FIELDS:
        for name in _MEANS.get(field, (field,)):
            value = row[lower[name]] if name in lower else None
            if isinstance(value, str | int | float) and value != "":
                found[field] = value
                break
    for name in settings.kept:
        if isinstance(row.get(name), str | int | float):
            found[name] = row[name]
    return found
