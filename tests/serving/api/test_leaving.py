"""Clients that leave, servers that are full, late or stopping: the rest goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2 as httpx
import pytest

from flamingo.serving.api.asked import check_open
from flamingo.serving.api.service import Service
from flamingo.serving.engine import Engine
from flamingo.serving.errors import Stopping
from flamingo.serving.limits import Limits
from tests.serving.api.running import Running, serving
from tests.tiny_predictor import tiny_predictor

LONG = {
    "model": "miniature",
    "messages": [{"role": "user", "content": "a"}],
    "max_tokens": 400,
    "n": 4,
}
"""A random model goes on and on."""


@contextmanager
def rambling(**limits: Any) -> Iterator[Running]:
    own = Limits(**limits)
    engine = Engine(tiny_predictor(), own)
    engine.start()
    try:
        with serving(Service.of(engine, own)) as running:
            yield running
    finally:
        engine.stop(0.0)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with rambling() as running:
        yield running


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def chat(server: Running, **more: Any) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/chat/completions", json={**LONG, **more}, timeout=60)


def written(server: Running) -> int:
    return server.service.engine.stats().num_written


def test_a_job_is_given_up_when_the_reader_of_its_stream_leaves(server: Running) -> None:
    begin = written(server)
    address, body = f"{server.url}/v1/chat/completions", {**LONG, "stream": True}
    with httpx.stream("POST", address, json=body, timeout=60) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("data: ")
        until(lambda: server.service.engine.stats().num_running == 4)
    until(lambda: server.service.engine.stats().num_running == 0)
    assert written(server) - begin < 1600


def test_a_job_is_given_up_when_who_waits_for_it_leaves(server: Running) -> None:
    begin = written(server)
    address = f"{server.url}/v1/chat/completions"
    with pytest.raises(httpx.TimeoutException):
        httpx.post(address, json=LONG, timeout=0.3)
    until(lambda: server.service.engine.stats().num_running == 0)
    assert written(server) - begin < 1600
    assert chat(server, max_tokens=2).status_code == 200


def test_too_much_at_once_is_told_when_to_come_back() -> None:
    with rambling(queued=1, rows=1, batches=1) as server, ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(chat, server, n=1, max_tokens=60) for _ in range(8)]
        answers = [one.result() for one in asked]
    statuses = {answer.status_code for answer in answers}
    assert statuses == {200, 429}
    for answer in answers:
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["error"]["type"] == "rate_limit_error"


def test_what_takes_too_long_is_told_so() -> None:
    with rambling(seconds=0.3) as server:
        answer = chat(server)
        assert (answer.status_code, answer.json()["error"]["type"]) == (408, "timeout_error")
        *_, error, done = chat(server, stream=True).text.strip().split("\n\n")
        assert json.loads(error.removeprefix("data: "))["error"]["type"] == "timeout_error"
        assert done == "data: [DONE]"


def test_a_stream_that_is_cut_short_says_why() -> None:
    with rambling() as server:
        address, body = f"{server.url}/v1/chat/completions", {**LONG, "stream": True}
        with httpx.stream("POST", address, json=body, timeout=60) as answer:
            lines = answer.iter_lines()
            next(lines)
            server.service.engine.stop(0.0)
            data = [line.removeprefix("data: ") for line in lines if line]
        assert json.loads(data[-2])["error"]["code"] == "stopping"
        assert data[-1] == "[DONE]"
        late = chat(server)
        assert late.status_code == 503
        assert int(late.headers["retry-after"]) >= 1
        dead = httpx.get(f"{server.url}/health")
        assert (dead.status_code, dead.json()) == (503, {"status": "dead"})


def test_what_comes_too_late_is_not_decoded() -> None:
    limits = Limits()
    engine = Engine(tiny_predictor(), limits)
    service = Service.of(engine, limits)
    check_open(service)
    engine.stop(0.0)
    with pytest.raises(Stopping, match="no new requests"):
        check_open(service)
