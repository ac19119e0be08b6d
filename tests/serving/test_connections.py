"""Clients that keep a connection waiting lose it; whatever they send, errors have one shape."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flamingo.serving.api.service import Service
from flamingo.serving.connections import Connection
from flamingo.serving.engine import Engine
from flamingo.serving.limits import Limits
from flamingo.serving.server import Server, bound_socket
from tests.tiny_predictor import tiny_predictor

GET = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
)
RAMBLING = {
    "model": "miniature",
    "messages": [{"role": "user", "content": "a"}],
    "max_tokens": 500,
    "n": 8,
    "logprobs": True,
    "top_logprobs": 20,
    "stream": True,
}


class Hasty(Connection):
    most = 3
    head_seconds = 0.5
    read_seconds = 0.5
    look_seconds = 0.05


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    limits = Limits(seconds=20)
    engine = Engine(tiny_predictor(), limits)
    engine.start()
    ready = threading.Event()
    with bound_socket("127.0.0.1", 0) as listener:
        server = Server(
            Service.of(engine, limits), listener, grace=1.0, ready=ready.set, connection=Hasty
        )
        # Kept apart from the listener, which the server closes.
        vars(server)["port"] = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        assert ready.wait(20)
        yield server
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
    engine.stop(0.0)


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    until_free(server)
    with socket.create_connection(("127.0.0.1", vars(server)["port"]), timeout=5) as connection:
        yield connection


def until_free(server: Server) -> None:
    """Waits until no connection of an earlier test is left."""
    end = time.monotonic() + 5
    while server.server_state.connections or server.server_state.tasks:
        assert time.monotonic() < end
        time.sleep(0.01)


def read(connection: socket.socket) -> bytes:
    """All that comes until the connection is closed."""
    received = b""
    while part := connection.recv(2**16):
        received += part
    return received


def is_open(connection: socket.socket, more: bytes) -> bool:
    """Whether it takes more bytes."""
    try:
        connection.sendall(more)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def is_well(connection: socket.socket) -> bool:
    """Whether what comes is the answer of `GET`."""
    received = b""
    while not received.endswith(b'{"status":"ok"}'):
        part = connection.recv(2**16)
        assert part, received
        received += part
    return received.startswith(b"HTTP/1.1 200 OK\r\n")


def refused(answer: bytes) -> tuple[int, dict[str, Any]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return int(head.split()[1]), error


def test_a_silent_connection_is_closed(server: Server) -> None:
    with connected(server) as connection:
        begin = time.monotonic()
        assert read(connection) == b""
    assert 0.4 < time.monotonic() - begin < 3


@pytest.mark.parametrize("before", [b"", GET], ids=["first", "second"])
def test_a_head_that_drips_is_refused(server: Server, before: bytes) -> None:
    with connected(server) as connection:
        connection.sendall(before)
        if before:
            assert is_well(connection)
        connection.sendall(HEAD[:20])
        for byte in HEAD[20:24]:
            time.sleep(0.05)
            connection.sendall(bytes([byte]))
        status, error = refused(read(connection))
    assert (status, error["type"], error["code"]) == (408, "timeout_error", "head_timeout")


def test_a_connection_that_is_used_stays(server: Server) -> None:
    with connected(server) as connection:
        for _ in range(4):
            time.sleep(0.3)
            connection.sendall(GET)
            assert is_well(connection)


def test_a_body_that_nobody_waits_for_ends_the_connection(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(GET[:-2] + b"Transfer-Encoding: chunked\r\n\r\n")
        assert is_well(connection)
        begin = time.monotonic()
        while is_open(connection, b"1\r\na\r\n"):
            assert time.monotonic() < begin + 4
            time.sleep(0.05)


def test_one_connection_too_many_is_refused(server: Server) -> None:
    with connected(server) as connection:
        others = [socket.create_connection(connection.getpeername(), timeout=5) for _ in range(3)]
        answer = read(others[-1])
        for other in others:
            other.close()
    status, error = refused(answer)
    assert (status, error["type"]) == (429, "rate_limit_error")
    assert b"retry-after: 1" in answer.lower()
    with connected(server) as connection:
        connection.sendall(GET)
        assert is_well(connection)


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 70_000,
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_answered_like_all_errors(server: Server, sent: bytes) -> None:
    with connected(server) as connection:
        connection.sendall(sent)
        status, error = refused(read(connection))
    assert (status, error["code"]) == (400, "invalid_http")


def test_nonsense_behind_an_answer_ends_the_connection(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(server) as connection:
        connection.sendall(GET[:-2] + b"Transfer-Encoding: chunked\r\n\r\n")
        assert is_well(connection)
        connection.sendall(b"zz\r\n")
        assert read(connection) == b""
    assert "Traceback" not in caplog.text


def test_who_never_reads_a_stream_is_cut_off(server: Server) -> None:
    engine = vars(server)["_service"].engine
    body = json.dumps(RAMBLING).encode()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", vars(server)["port"]))
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        begin, largest, has_run = time.monotonic(), 0, False
        while server.server_state.connections or not has_run:
            assert time.monotonic() < begin + 20
            has_run = has_run or engine.stats().num_running > 0
            sizes = [
                one.transport.get_write_buffer_size()
                for one in list(server.server_state.connections)
                if isinstance(one, Hasty)
            ]
            largest = max([largest, *sizes])
            time.sleep(0.01)
        # The stream would have several megabytes.
        assert 2**16 <= largest < 2**18
    until_free(server)
    end = time.monotonic() + 5
    while engine.stats().num_running:
        assert time.monotonic() < end
        time.sleep(0.01)
