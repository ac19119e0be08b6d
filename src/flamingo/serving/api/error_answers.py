"""Errors as answers, in the shape that OpenAI's clients read."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from flamingo.foundation.errors import ConfigError, FlamingoError, MediaError, SequenceError
from flamingo.serving.errors import (
    Busy,
    JobTimeout,
    KeyRefused,
    Stopping,
    StorageFull,
    TooLarge,
    Unknown,
)
from flamingo.serving.support_sets import NameTaken

_LOGGER = logging.getLogger("flamingo.serving")

_KINDS: Mapping[type[FlamingoError], tuple[int, str | None]] = {
    SequenceError: (400, None),
    ConfigError: (400, None),
    MediaError: (400, "invalid_media"),
    Busy: (429, "busy"),
    Stopping: (503, "stopping"),
    JobTimeout: (408, "timeout"),
    TooLarge: (413, "too_large"),
    Unknown: (404, "not_found"),
    KeyRefused: (401, "invalid_api_key"),
    StorageFull: (507, "storage_full"),
    NameTaken: (409, "name_taken"),
}
_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    408: "timeout_error",
    429: "rate_limit_error",
}
_RETRY_SECONDS_WHEN_STOPPING = 5
_SAID = {
    404: "There is nothing at this address. /docs lists what there is.",
    405: "This address does not take this method. /docs lists what it takes.",
}
_SERVER_FAULT = "The server made a mistake. Who runs it finds it described in its log."


class Refused(FlamingoError):  # noqa: N818
    """A request that cannot be honored, with the field that says so.

    Args:
        message: what, why and what to do.
        param: the field.
        code: a word for programs.
        status: of the answer.
    """

    def __init__(
        self, message: str, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.param, self.code, self.status = param, code, status


def error_answer(error: Exception) -> JSONResponse:
    """The answer for an error; one of the server's own is logged, and told without its reasons."""
    status, body = described(error)
    headers = {}
    if isinstance(error, Busy):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    elif isinstance(error, Stopping):
        headers["Retry-After"] = str(_RETRY_SECONDS_WHEN_STOPPING)
    elif isinstance(error, KeyRefused):
        headers["WWW-Authenticate"] = "Bearer"
    elif isinstance(error, HTTPException) and error.headers:
        headers.update(error.headers)
    return JSONResponse(body, status, headers)


def described(error: Exception) -> tuple[int, dict[str, Any]]:
    """The status and the body for an error."""
    if isinstance(error, Refused):
        return error.status, _body(error.status, str(error), error.param, error.code)
    if isinstance(error, HTTPException):
        message = _SAID.get(error.status_code, str(error.detail))
        return error.status_code, _body(error.status_code, message)
    found = (known for kind, known in _KINDS.items() if isinstance(error, kind))
    status, code = next(found, (500, None))
    if status != 500:
        return status, _body(status, str(error), getattr(error, "param", None) or None, code)
    _LOGGER.error("a request failed", exc_info=error)
    return 500, _body(500, _SERVER_FAULT, None, "internal_error")


def _body(
    status: int, message: str, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    other = "server_error" if status >= 500 else "invalid_request_error"
    kind = _TYPES.get(status, other)
    texts = {"message": message, "type": kind, "param": param, "code": code}
    # Half a character, which a form in another charset can have in its names, is not UTF-8.
    return {"error": {n: t and t.encode(errors="replace").decode() for n, t in texts.items()}}
