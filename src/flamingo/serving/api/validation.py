"""What is wrong with a request that is not as described, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from flamingo.serving.api.error_answers import Refused

_Place = tuple[Any, ...]

_MOST_FAULTS = 1000
_LONGEST_PARAM, _LONGEST_TEXT = 200, 500
_KINDS_OF_PARTS = ("text", "image_url", "video_url", "file")


def invalid(error: ValidationError | RequestValidationError) -> Refused:
    """What is wrong first, and where; further faulty fields are named."""
    if isinstance(error, ValidationError):
        if error.error_count() > _MOST_FAULTS:
            # To describe each of them takes seconds, where they are very many.
            return Refused(
                f"{error.error_count():,} values are not as described. See /docs for what a body "
                "is made of."
            )
        faults: Any = error.errors(include_url=False, include_input=False, include_context=False)
    else:
        # These begin with the part of the request: body, path or query.
        faults = [{**fault, "loc": fault["loc"][1:]} for fault in error.errors()]
    # Of a union all members complain. The one that was meant is reached furthest into, and has the
    # fewest faults; a field that it does not have says more than one that is missing.
    num_faults = Counter(_member(fault["loc"]) for fault in faults)
    fault = min(
        faults,
        key=lambda one: (
            -len(_place(one["loc"])),
            num_faults[_member(one["loc"])],
            one["type"] == "missing",
        ),
    )
    place, member = _place(fault["loc"]), _member(fault["loc"])
    param = _param(place)
    here = [one for one in faults if _place(one["loc"]) == place]
    said = [one["msg"] for one in here if one["type"] != "extra_forbidden"]
    others = {_param(_place(one["loc"])) for one in faults if _member(one["loc"]) in ((), member)}
    more = (
        f" (Also look at: {', '.join(sorted(others - {param})[:5])}.)" if others > {param} else ""
    )
    return Refused(_message(fault["type"], said, param) + more, param or None)


def _message(kind: str, said: Sequence[str], param: str) -> str:
    if kind == "extra_forbidden":
        return f"There is no field {param!r} here. Leave it out, or see /docs for what there is."
    if kind == "missing":
        return f"The field {param!r} is missing."
    # Some repeat the value, which may be of any length.
    texts = [
        text[:_LONGEST_TEXT].removeprefix("Value error, ").rstrip(".")
        for text in dict.fromkeys(said)
    ]
    return (f"{param}: " if param else "") + ", or: ".join(texts) + "."


def _member(loc: _Place) -> _Place:
    """The path up to the last member of a union that was tried."""
    tried = [number for number, one in enumerate(loc) if _is_kind(one)]
    return loc[: tried[-1] + 1] if tried else ()


def _place(loc: _Place) -> _Place:
    """The path in the request, without the members of unions that were tried on the way."""
    place: list[Any] = []
    for before, one in zip((None, *loc), loc, strict=False):
        is_part = isinstance(before, int) and place[-2:-1] == ["content"]
        if not _is_kind(one) and not (is_part and one in _KINDS_OF_PARTS):
            place.append(one)
    return tuple(place)


def _is_kind(one: Any) -> bool:
    """Whether it is a member of a union of `VisualSource` or of a message's content."""
    return one in ("str", "FileId", "VideoUrl") or str(one).startswith("list[")


def _param(place: _Place) -> str:
    text = ""
    for one in place:
        text += f"[{one}]" if isinstance(one, int) else f".{one}" if text else str(one)
    # Names of fields that do not exist may be of any length.
    return text[:_LONGEST_PARAM]
