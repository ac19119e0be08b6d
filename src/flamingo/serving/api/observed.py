"""What surrounds every request: an id, a line in the log, counters, and a clear end to errors."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flamingo.serving.api.error_answers import error_answer
from flamingo.serving.api.metrics import Metrics

_LOGGER = logging.getLogger("flamingo.serving")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_CLIENT_LEFT = 499
"""What logs and counters say where no status was sent because nobody was there to read it."""

_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "style-src 'self'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'"
)
_SAFE_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Observed:
    """Middleware around all others.

    Each answer has an `X-Request-ID`: the client's own, if it is a plain one, or a new one. What
    an inner part raises becomes an answer here.

    Args:
        app: answers.
        metrics: counts.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, status = time.perf_counter(), _CLIENT_LEFT
        request_id = _request_id(Headers(scope=scope))

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in _SAFE_HEADERS.items():
                    headers[name] = value
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            pass
        except Exception as error:
            answer = error_answer(error)
            if status != _CLIENT_LEFT:
                raise  # Half an answer is out: the connection is cut.
            await answer(scope, receive, send_with_headers)
        finally:
            self._note(scope, status, time.perf_counter() - begin, request_id)

    def _note(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.answered(method, _route(scope), status, seconds)
        # Neither contents nor keys: addresses have none of them.
        _LOGGER.info(
            "%s %s %d %.0f ms %s",
            method,
            _printable(scope["path"]),
            status,
            1000 * seconds,
            request_id,
        )


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given) else f"req-{uuid.uuid4().hex}"


def _route(scope: Scope) -> str:
    """The pattern of the address, of which there are few, and not the address itself."""
    if scope["path"].startswith("/static/"):
        return "/static"
    return str(getattr(scope.get("route"), "path", "other"))


def _printable(path: str) -> str:
    return ascii(path[:200])[1:-1]
