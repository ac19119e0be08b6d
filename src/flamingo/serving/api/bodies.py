"""JSON bodies: read without holding up other requests, and described in the OpenAPI document."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from flamingo.serving.api.error_answers import Refused
from flamingo.serving.api.validation import invalid

_Body = TypeVar("_Body", bound=BaseModel)
_LONG = 64 * 2**10
"""Bytes from which on a body is parsed in a thread of its own."""
_MARKS = 100_000
"""That begin a value, in any body: a parser takes hundreds of bytes of memory for each."""


class Strict(BaseModel):
    """Refuses fields that do not exist, and values of other types, instead of guessing."""

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()
    )


async def body_of(request: Request, kind: type[_Body]) -> _Body:
    """The body of a request, checked.

    Raises:
        Refused: it is not said to be JSON, it is not of this kind, or it has far more parts than a
            prompt can have.
    """
    given = request.headers.get("content-type")
    # What does not say so may be sent by a page of another site, without asking first.
    if given is None or given.split(";")[0].strip().lower() != "application/json":
        said = "does not say what it is" if given is None else f"is said to be {given[:80]!r}"
        raise Refused(
            f"The body {said}. Send JSON, with the header Content-Type: application/json.",
            code="unsupported_media_type",
            status=415,
        )
    # `request.body()` would keep it as long as the request.
    content = b"".join([chunk async for chunk in request.stream()])
    num_marks = sum(map(content.count, (b",", b"[", b"{")))
    if num_marks > _MARKS:
        raise Refused(
            f"The body has {num_marks:,} commas and brackets, more than the limit of {_MARKS:,}. "
            "Send less.",
            code="too_large",
            status=413,
        )
    try:
        if len(content) < _LONG:
            return kind.model_validate_json(content)
        return await asyncio.to_thread(kind.model_validate_json, content)
    except ValidationError as error:
        raise invalid(error) from error


def described_body(kind: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads such a body; see `hoisted`."""
    schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def hoisted(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document, with what bodies define for themselves among the components."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for path in document["paths"].values():
        for operation in path.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                schemas.update(content["schema"].pop("$defs", {}))
    return document


def json_answer(answer: BaseModel, status: int = 200) -> Response:
    """An answer as JSON."""
    return Response(answer.model_dump_json(), status, media_type="application/json")
