from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flamingo.serving.body_limit import BodyLimit

Message = dict[str, Any]


async def _length(request: Request) -> Response:
    return JSONResponse(len(await request.body()))


class Sender:
    """A client that sends parts of a body, each after some seconds; then it waits, or leaves."""

    def __init__(self, parts: Sequence[tuple[float, bytes]], *, is_whole: bool = True) -> None:
        self.left, self.is_whole = list(parts), is_whole
        self.num_taken = 0
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if not self.left:
            if not self.is_whole:
                await asyncio.sleep(60)
            return {"type": "http.disconnect"}
        seconds, body = self.left.pop(0)
        if seconds:
            await asyncio.sleep(seconds)
        self.num_taken += 1
        more = bool(self.left) or not self.is_whole
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def answer(self) -> tuple[int, Any]:
        starts = [one for one in self.sent if one["type"] == "http.response.start"]
        assert len(starts) == 1
        body = b"".join(one.get("body", b"") for one in self.sent[1:])
        headers = dict(starts[0]["headers"])
        assert int(headers[b"content-length"]) == len(body)
        return starts[0]["status"], json.loads(body)


def ask(
    parts: Sequence[tuple[float, bytes]],
    *,
    length: str | None = None,
    seconds: float = 1.0,
    is_whole: bool = True,
    app: Any = None,
) -> Sender:
    sender = Sender(parts, is_whole=is_whole)
    headers = [] if length is None else [(b"content-length", length.encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    scope |= {"query_string": b"", "http_version": "1.1"}
    inner = app or Starlette(routes=[Route("/", _length, methods=["POST"])])
    limited = BodyLimit(inner, most_bytes=100, seconds=seconds)
    asyncio.run(asyncio.wait_for(limited(scope, sender.receive, sender.send), 5))
    return sender


@pytest.mark.parametrize("length", [None, "100", "0", "", "nonsense"])
def test_bodies_within_the_limit(length: str | None) -> None:
    assert ask([(0, bytes(60)), (0, bytes(40))], length=length).answer == (200, 100)
    assert ask([(0, b"")], length=length).answer == (200, 0)


@pytest.mark.parametrize("length", ["101", "9" * 5000])
def test_a_length_that_is_too_large_never_reaches_the_app(length: str) -> None:
    async def never(*args: Any) -> None:
        raise AssertionError("the app was asked")

    sender = ask([(0, bytes(100)), (0, bytes(1))], length=length, app=never)
    status, body = sender.answer
    assert status == 413
    assert body["error"]["type"] == "invalid_request_error"
    assert body["error"]["code"] == "request_too_large"
    assert body["error"]["param"] is None
    assert "limit of 100" in body["error"]["message"]
    assert sender.num_taken == 2


@pytest.mark.parametrize("length", [None, "5"])
def test_a_body_that_grows_too_large(length: str | None) -> None:
    sender = ask([(0, bytes(30))] * 8, length=length)
    assert sender.answer[0] == 413
    # All of it was taken, so that the client comes to read the answer.
    assert sender.num_taken == 8
    assert dict(sender.sent[0]["headers"])[b"connection"] == b"close"


def test_a_body_without_end_is_not_read_for_ever() -> None:
    sender = ask([(0, bytes(50))] * 1000)
    assert sender.answer[0] == 413
    assert sender.num_taken < 20


def test_slow_bodies() -> None:
    for parts in ([(0.03, b"x")] * 50, [(0, b"x")]):
        status, body = ask(parts, seconds=0.1, is_whole=False).answer
        assert status == 408
        assert body["error"]["type"] == "timeout_error"
        assert "0.1 s" in body["error"]["message"]


def test_slow_bodies_that_are_too_large() -> None:
    assert ask([(0, bytes(99)), (0.02, bytes(9))], seconds=0.1, is_whole=False).answer[0] == 413


def test_an_app_may_be_slow_itself() -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.1)
        length = len(await request.body())
        await asyncio.sleep(0.1)
        return JSONResponse([length, await request.is_disconnected()])

    app = Starlette(routes=[Route("/", slow, methods=["POST"])])
    assert ask([(0, b"xy")], seconds=0.05, app=app).answer == (200, [2, True])


def test_an_app_that_catches_everything_does_not_answer_twice() -> None:
    async def stubborn(request: Request) -> Response:
        try:
            await request.body()
        except Exception:
            return JSONResponse("could not read", 400)
        return JSONResponse("read")

    app = Starlette(routes=[Route("/", stubborn, methods=["POST"])])
    assert ask([(0, bytes(60))] * 2, app=app).answer[0] == 413


def test_errors_of_the_app_pass() -> None:
    async def broken(*args: Any) -> None:
        raise KeyError("a fault")

    with pytest.raises(KeyError):
        ask([(0, b"")], app=broken)


def test_other_scopes_pass() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(BodyLimit(app, 1, 1)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
