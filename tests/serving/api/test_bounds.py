"""Bodies that would cost memory or time far beyond their size are refused before they do."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from flamingo.prompting import Template
from flamingo.serving.api.app import create_app
from flamingo.serving.api.few_shot_prompt import FewShotTexts
from flamingo.serving.api.giving_out import GivenOut, Room
from flamingo.serving.api.service import Service
from flamingo.serving.errors import Busy
from tests.serving.api.running import HERE, episode, few_shot_body

CHAT, FEW_SHOT, SETS = "/v1/chat/completions", "/v1/few_shot", "/v1/few_shot/support_sets"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), HERE, raise_server_exceptions=False) as client:
        yield client


def refused(client: TestClient, path: str, content: bytes) -> tuple[int, dict[str, Any]]:
    begin = time.monotonic()
    answer = client.post(path, content=content, headers=JSON)
    assert time.monotonic() - begin < 5
    assert len(answer.content) < 4000
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize("mark", [b"[],", b"{},", b"1,", b'"",'])
def test_more_values_than_any_prompt_has(client: TestClient, mark: bytes) -> None:
    content = b'{"messages": [' + mark * 150_000 + b"1]}"
    status, error = refused(client, CHAT, content)
    assert (status, error["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (CHAT, b'{"model": "miniature", "messages": [' + b"1," * 90_000 + b"1]}"),
        (FEW_SHOT, b'{"query": {"visual": "a"}, "supports": [' + b"1," * 90_000 + b"1]}"),
        (FEW_SHOT, b"{" + b",".join(b'"%d": 1' % n for n in range(90_000)) + b"}"),
    ],
)
def test_faults_that_are_too_many_to_be_described(
    client: TestClient, path: str, content: bytes
) -> None:
    status, error = refused(client, path, content)
    assert status == 400
    assert "90,00" in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"a" * 100_000: 1},
        {"model": "miniature", "messages": [{"role": "a" * 100_000, "content": "a"}]},
        {"model": "miniature", "messages": [{"role": "user", "content": [{"type": "a" * 9000}]}]},
        {"model": "a" * 100_000, "messages": [{"role": "user", "content": "a"}]},
    ],
)
def test_errors_do_not_repeat_what_was_sent(client: TestClient, body: Any) -> None:
    status, error = refused(client, CHAT, json.dumps(body).encode())
    assert status in (400, 404)
    assert len(error["message"]) < 1500


def test_a_conversation_of_very_many_parts(client: TestClient) -> None:
    part = {"type": "text", "text": ""}
    for messages in (
        [{"role": "user", "content": "a"}] * 20_000,
        [{"role": "user", "content": [{"type": "text", "text": "a"}, *[part] * 20_000]}],
    ):
        body = json.dumps({"model": "miniature", "messages": messages}).encode()
        status, error = refused(client, CHAT, body)
        assert (status, error["code"]) == (413, "too_large")


def test_a_field_counts_as_often_as_its_template_has_it() -> None:
    texts = FewShotTexts.of(
        [],
        {"question": "a" * 1000},
        template="{question}" * 100 + "{output}",
        question=None,
        templates={"caption": Template("Output:")},
    )
    assert sum(map(len, texts.written())) > 100_000


def test_a_prompt_that_a_template_makes_huge(client: TestClient) -> None:
    body = few_shot_body(episode(shots=1), template="{a}" * 600 + "{output}")
    body["supports"][0]["a"] = body["query"]["a"] = "a" * 2000
    status, error = refused(client, FEW_SHOT, json.dumps(body).encode())
    assert (status, error["code"]) == (413, "too_large")


def test_a_set_of_too_many_supports_is_refused_before_they_are_read(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    support = {"visual": "https://example.org/a.png", "output": "a"}

    def fetched(*args: object) -> bytes:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(type(service.remote), "read", fetched)
    body = {"name": "a", "supports": [support] * (service.limits.visuals + 1)}
    status, error = refused(client, SETS, json.dumps(body).encode())
    assert (status, error["code"]) == (413, "too_large")


def test_a_set_is_not_fetched_without_end(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[object] = []

    def large(*args: object) -> bytes:
        taken.append(args)
        return bytes(service.limits.request_bytes // 3)

    monkeypatch.setattr(type(service.remote), "read", large)
    support = {"visual": "https://example.org/a.png", "output": "a"}
    status, error = refused(
        client, SETS, json.dumps({"name": "a", "supports": [support] * 50}).encode()
    )
    assert (status, error["code"]) == (413, "too_large")
    assert len(taken) == 4


@pytest.mark.parametrize("charset", ["unicode_escape", "utf-7", "punycode", "\x01", "rot13", "x"])
@pytest.mark.parametrize("name", [b"\\ud800", b"+2AA-", b"\xff"])
def test_forms_in_odd_charsets(client: TestClient, charset: str, name: bytes) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n' % (name, name)
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    answer = client.post(
        "/v1/files", content=head + b"a\r\n--b--\r\n", headers={"Content-Type": kind}
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_the_page_is_given_out_whole(client: TestClient) -> None:
    for path in ("/", "/static/main.js"):
        whole = client.get(path)
        assert whole.status_code == 200
        for asked in ("bytes=x", "bytes=0-1", "bytes=99999999-", "bytes=" + "0-1," * 500 + "5-6"):
            answer = client.get(path, headers={"Range": asked})
            assert (answer.status_code, answer.content) == (200, whole.content), (path, asked)


def test_room_for_what_is_given_out() -> None:
    room = Room(100)
    room.take(60)
    with pytest.raises(Busy):
        room.take(60)
    room.leave(60)
    room.take(1000)  # Alone, a large one goes.
    room.leave(1000)
    with pytest.raises(ZeroDivisionError), room.unless_failed(50):
        raise ZeroDivisionError
    with room.unless_failed(50):
        pass
    assert room.num_bytes == 50
    room.leave(50)
    assert room.num_bytes == 0


def test_what_is_given_out_goes_in_pieces_and_leaves_its_room() -> None:
    room, sent = Room(100), list[Message]()
    content = bytes(200_000)

    async def send(message: Message) -> None:
        assert room.num_bytes == 7
        sent.append(message)

    async def gone(message: Message) -> None:
        raise OSError("gone")

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    room.take(7)
    asyncio.run(GivenOut(content, room, 7)({}, receive, send))
    assert room.num_bytes == 0
    bodies = [message["body"] for message in sent[1:]]
    assert b"".join(bodies) == content
    assert max(map(len, bodies)) <= 2**16
    room.take(7)
    with pytest.raises(OSError, match="gone"):
        asyncio.run(GivenOut(content, room, 7)({}, receive, gone))
    assert room.num_bytes == 0


def test_a_set_is_given_out_as_it_was(client: TestClient) -> None:
    supports = few_shot_body(episode())["supports"]
    made = client.post(SETS, json={"name": "given", "supports": supports}).json()
    answer = client.get(f"{SETS}/given")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.json()["supports"] == supports
    assert client.delete(f"{SETS}/{made['id']}").status_code == 200
