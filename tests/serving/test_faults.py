"""What goes wrong around a server: clients get clear answers, and it lives or ends cleanly."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from torch import nn

from flamingo.cli.main import main
from flamingo.serving.api.service import Service
from flamingo.serving.engine import Engine
from flamingo.serving.limits import Limits
from tests.serving.api.running import Running, serving
from tests.tiny_predictor import tiny_predictor

CHAT = "/v1/chat/completions"
LONG = {
    "model": "miniature",
    "messages": [{"role": "user", "content": "a"}],
    "max_tokens": 300,
    "n": 2,
}
"""A random model goes on and on."""


@contextmanager
def rambling() -> Iterator[Running]:
    engine = Engine(tiny_predictor(), Limits())
    engine.start()
    try:
        with serving(Service.of(engine, Limits())) as running:
            yield running
    finally:
        engine.stop(0.0)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with rambling() as running:
        yield running


@contextmanager
def failing(server: Running, after: int) -> Iterator[None]:
    """The model fails from its pass of this number on, as a broken driver would."""
    model: Any = server.service.engine.predictor.model
    passes = 0

    def fail(module: nn.Module, args: object) -> None:
        nonlocal passes
        passes += 1
        if passes > after:
            raise RuntimeError("/secret/driver.so is broken")

    hook = model.register_forward_pre_hook(fail)
    try:
        yield
    finally:
        hook.remove()


def chat(server: Running, **more: Any) -> httpx.Response:
    return httpx.post(f"{server.url}{CHAT}", json={**LONG, **more}, timeout=60)


def data_of(lines: Iterator[str]) -> list[str]:
    return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]


def is_told_nothing(error: Any) -> bool:
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "server_error"
    return "secret" not in json.dumps(error) and "driver" not in json.dumps(error)


def until_idle(server: Running) -> None:
    end = time.monotonic() + 20
    while (stats := server.service.engine.stats()).num_running or stats.num_waiting:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_client_that_leaves_its_stream_harms_no_other(server: Running) -> None:
    engine = server.service.engine
    alone = chat(server).json()["choices"]
    body = {**LONG, "stream": True, "n": 8, "max_tokens": 512}
    with ThreadPoolExecutor(1) as pool:
        with httpx.stream("POST", f"{server.url}{CHAT}", json=body, timeout=60) as leaving:
            # Kept: the stream is closed with what reads it.
            lines = leaving.iter_lines()
            assert next(lines).startswith("data: ")
            staying = pool.submit(chat, server)
            # Both are written side by side: 8 answers of the one, 2 of the other.
            while engine.stats().num_running < 10:
                assert not staying.done()
                time.sleep(0.005)
            begin = engine.stats().num_written
        assert staying.result().json()["choices"] == alone
    until_idle(server)
    # Had it been written to its end, its 8 answers would have some 4,000 tokens.
    assert engine.stats().num_written - begin < 3000


def test_a_fault_of_the_model_is_told_without_reasons(server: Running) -> None:
    failed = server.service.engine.stats().num_failed
    with failing(server, after=0):
        answer = chat(server)
    assert answer.status_code == 500
    assert is_told_nothing(answer.json()["error"])
    assert server.service.engine.stats().num_failed == failed + 1
    assert chat(server, max_tokens=2).status_code == 200


def test_a_fault_in_a_running_stream_is_a_part_of_it(server: Running) -> None:
    with failing(server, after=20):
        answer = chat(server, stream=True)
    *pieces, error, done = data_of(answer.iter_lines())
    assert len(pieces) > 10
    assert is_told_nothing(json.loads(error)["error"])
    assert done == "[DONE]"
    until_idle(server)
    assert chat(server, max_tokens=2).status_code == 200


def test_a_fault_with_many_at_once_is_told_to_all(server: Running) -> None:
    with failing(server, after=30), ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda seed: chat(server, seed=seed, temperature=1.0), range(6)))
    assert {answer.status_code for answer in answers} == {500}
    until_idle(server)
    with ThreadPoolExecutor(6) as pool:
        later = list(pool.map(lambda _: chat(server, max_tokens=3), range(6)))
    assert {answer.status_code for answer in later} == {200}


def failed(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What the command says that ends with 2."""
    logger = logging.getLogger("flamingo.serving")
    before = logger.handlers[:], logger.level, logger.propagate
    try:
        assert main(["serve", *options]) == 2
    finally:
        logger.handlers[:], logger.level, logger.propagate = before
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


def test_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = failed(capsys, "--port", port)
    assert port in said
    assert "in use" in said


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ("visuals", "visuals"),
        ("visuals=", "visuals"),
        ("visuals=many", "many"),
        ("visuals=1.5", "1.5"),
        ("visuals=-1", "above 0"),
        ("seconds=nan", "above 0"),
        ("nothing=1", "nothing"),
        ("__class__=1", "__class__"),
    ],
)
def test_limits_that_are_none(capsys: pytest.CaptureFixture[str], limit: str, says: str) -> None:
    assert says in failed(capsys, "--limit", limit)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("short\n", "line 1"),
        ("a-key-of-some-length\ntwo words here now\n", "line 2"),
        ("", "no key"),
    ],
)
def test_weak_keys(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, keys: str, says: str
) -> None:
    path = tmp_path / "keys"
    path.write_text(keys)
    path.chmod(0o600)
    said = failed(capsys, "--api-key-file", str(path))
    assert says in said
    assert "two words" not in said


def test_a_folder_that_cannot_be_made(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = failed(capsys, "--support-sets", str(tmp_path / "file" / "sets"))
    assert "cannot be made" in said


def test_huge_limits_do_no_harm() -> None:
    huge = Limits(
        request_bytes=10**30,
        visuals=10**30,
        prompt_tokens=10**30,
        new_tokens=10**30,
        seconds=float("inf"),
        queued=10**30,
        rows=10**9,
        decode_seconds=1e300,
    )
    engine = Engine(tiny_predictor(), huge)
    engine.start()
    with serving(Service.of(engine, huge)) as server:
        assert chat(server, max_tokens=3).status_code == 200
        assert httpx.get(f"{server.url}/v1/models").status_code == 200
    engine.stop(0.0)


def test_threads_end_with_the_server() -> None:
    before = {thread.name for thread in threading.enumerate()}
    with rambling() as server:
        assert chat(server, max_tokens=2).status_code == 200
        server.service.media.close()
    end = time.monotonic() + 10
    while any(
        name.startswith(("flamingo-engine", "decoding", "fetching"))
        for name in {thread.name for thread in threading.enumerate()} - before
    ):
        assert time.monotonic() < end
        time.sleep(0.05)
