"""Who has much under way leaves room for others."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx2 as httpx
import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from flamingo.serving.api.admission import Admission, let_go
from flamingo.serving.api.chat_schemas import ChatRequest
from flamingo.serving.api.few_shot_schemas import FewShotRequest
from flamingo.serving.api.service import Service
from flamingo.serving.engine import Engine
from flamingo.serving.errors import Busy
from flamingo.serving.limits import Limits
from tests.serving.api.running import Running, episode, few_shot_body, serving
from tests.tiny_predictor import tiny_predictor

LIMITS = Limits(request_bytes=100, queued=23, rows=1)
"""Room for 24 requests and 1600 bytes; for one client's six and 400."""


class Asking:
    """A request that is answered once it is told so; its body comes in parts."""

    def __init__(self, admission: Admission, client: str, length: int | None = None) -> None:
        headers = [] if length is None else [(b"content-length", b"%d" % length)]
        self.scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
        self.scope["client"] = (client, 1)
        self.parts: asyncio.Queue[bytes] = asyncio.Queue()
        self.task = asyncio.ensure_future(admission(self.scope, self._receive, self._send))

    async def begun(self) -> Asking:
        """Raises what it is refused with."""
        for _ in range(5):
            await asyncio.sleep(0)
        if self.task.done():
            await self.task
        return self

    async def sends(self, num_bytes: int) -> Asking:
        self.parts.put_nowait(bytes(num_bytes))
        return await self.begun()

    async def ends(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _receive(self) -> Message:
        return {"type": "http.request", "body": await self.parts.get(), "more_body": True}

    async def _send(self, message: Message) -> None:
        raise AssertionError("nothing is answered")


async def _reads(scope: Scope, receive: Receive, send: Send) -> None:
    while True:
        await receive()


def test_a_client_may_take_a_quarter() -> None:
    async def told() -> None:
        room = Admission(_reads, LIMITS)
        own = [await Asking(room, "a").begun() for _ in range(6)]
        with pytest.raises(Busy, match="of yours"):
            await Asking(room, "a").begun()
        others = [await Asking(room, client).begun() for client in "bcd" * 6]
        with pytest.raises(Busy, match="of all clients"):
            await Asking(room, "e").begun()
        await own[0].ends()
        await (await Asking(room, "a").begun()).ends()
        for one in (*own[1:], *others):
            await one.ends()
        assert not room._each
        assert (room._all.number, room._all.num_bytes) == (0, 0)

    asyncio.run(told())


def test_what_a_body_says_that_it_has_is_reserved() -> None:
    async def told() -> None:
        room = Admission(_reads, LIMITS)
        # What is above the limit of one body is not kept.
        own = [await Asking(room, "a", length).begun() for length in (100, 10**9, 150, 100)]
        with pytest.raises(Busy, match="of yours"):
            await Asking(room, "a", 1).begun()
        others = [await Asking(room, client, 100).begun() for client in "bcd" * 4]
        with pytest.raises(Busy, match="of all clients"):
            await Asking(room, "e", 1).begun()
        for one in (*own, *others):
            await one.ends()
        assert room._all.num_bytes == 0

    asyncio.run(told())


def test_what_has_come_of_other_bodies_is_counted() -> None:
    async def told() -> None:
        room = Admission(_reads, LIMITS)
        own = [await Asking(room, "a").begun() for _ in range(3)]
        for one in own:
            await (await one.sends(60)).sends(60)
        assert room._all.num_bytes == 300
        said = await (await Asking(room, "a", length=40).begun()).sends(40)
        assert room._all.num_bytes == 340
        last = await (await Asking(room, "a").begun()).sends(60)
        assert room._all.num_bytes == 400
        with pytest.raises(Busy):
            await last.sends(1)
        assert room._all.num_bytes == 340
        for one in (*own, said):
            await one.ends()
        assert room._all.num_bytes == 0

    asyncio.run(told())


def test_a_body_that_is_let_go_makes_room() -> None:
    async def told() -> None:
        room = Admission(_reads, LIMITS)
        one = await (await Asking(room, "a").begun()).sends(80)
        let_go(Request(one.scope))
        assert (room._all.number, room._all.num_bytes) == (1, 0)
        let_go(Request(one.scope))
        await one.ends()
        assert (room._all.number, room._all.num_bytes) == (0, 0)
        let_go(Request({"type": "http"}))

    asyncio.run(told())


FEW_SHOT = few_shot_body(episode(shots=1), stream=True, max_tokens=400)
CHAT = {
    "model": "miniature",
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": one["visual"]}}
                for one in (FEW_SHOT["query"], *FEW_SHOT["supports"])
            ],
        }
    ],
    "max_tokens": 400,
    "stream": True,
}


@pytest.fixture(scope="module")
def rambling() -> Iterator[Running]:
    """Goes on and on; takes bodies that are hardly larger than the ones of these tests."""
    limits = Limits(request_bytes=len(str(FEW_SHOT)) + 500)
    engine = Engine(tiny_predictor(), limits)
    engine.start()
    with serving(Service.of(engine, limits)) as running:
        yield running
    engine.stop(0.0)


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [("few_shot", FEW_SHOT, FewShotRequest), ("chat/completions", CHAT, ChatRequest)],
)
def test_bodies_are_not_kept_while_they_are_answered(
    rambling: Running, path: str, body: dict[str, Any], kind: type
) -> None:
    with ExitStack() as stack:
        for _ in range(6):  # Four of them would fill a client's room.
            answer = stack.enter_context(
                httpx.stream("POST", f"{rambling.url}/v1/{path}", json=body, timeout=60)
            )
            assert answer.status_code == 200
            assert next(answer.iter_lines())
        gc.collect()
        kept = [one for one in gc.get_objects() if type(one) is kind]
        assert not any(getattr(one, "messages", None) or hasattr(one, "query") for one in kept)


def test_bodies_that_do_not_come_shut_nobody_out(rambling: Running) -> None:
    host, port = rambling.url.removeprefix("http://").split(":")
    head = f"POST /v1/few_shot HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    begun = f"{head}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n".encode()
    with ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(socket.create_connection((host, int(port))))
            connection.sendall(begun)
        time.sleep(0.2)
        answer = httpx.post(f"{rambling.url}/v1/few_shot", json={}, timeout=60)
        assert answer.status_code == 400
