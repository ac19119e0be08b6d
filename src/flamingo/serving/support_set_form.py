"""The form in which support sets are shared: JSON, with all pictures in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flamingo.foundation.errors import DataError, FlamingoError
from flamingo.serving.data_urls import content_of, data_url, media_type_of
from flamingo.serving.support_set import StoredSupport, SupportSet

FORMAT = "flamingo-support-set"
VERSION = 1


def shareable(kept: SupportSet) -> dict[str, Any]:
    """What a set is made of, without its owner and its id."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": kept.name,
        "question": kept.question,
        "template": kept.template,
        "supports": [
            {"visual": data_url(one.content, one.media_type), **one.fields} for one in kept.supports
        ],
    }


def support_set_of(form: Any, owner: str, created: int, most_bytes: int) -> SupportSet:
    """The set that was written so.

    Args:
        form: of JSON.
        owner: to whom it belongs.
        created: in seconds since 1970.
        most_bytes: of the file of each support.

    Raises:
        DataError: it is not of this form, or a part of it is damaged.
    """
    about = _of(dict, form)
    if about.get("format") != FORMAT or about.get("version") != VERSION:
        raise DataError(f"it is not of the format {FORMAT}, version {VERSION}.")
    try:
        supports = [
            _support(_of(dict, one), most_bytes) for one in _of(list, about.get("supports"))
        ]
        return SupportSet.of(
            owner,
            _of(str, about.get("name")),
            supports,
            None if about.get("question") is None else _of(str, about["question"]),
            None if about.get("template") is None else _of(str, about["template"]),
            created,
        )
    except DataError:
        raise
    except FlamingoError as error:
        raise DataError(str(error)) from error


def _support(form: Mapping[str, Any], most_bytes: int) -> StoredSupport:
    url = _of(str, form.get("visual"))
    fields = {_of(str, name): _of(str, text) for name, text in form.items() if name != "visual"}
    return StoredSupport(content_of(url, most_bytes), media_type_of(url), fields)


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise DataError(f"there is a {type(value).__name__} where a {kind.__name__} belongs.")
    return value
