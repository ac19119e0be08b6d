"""`flamingo serve` as a process: it begins, answers, and ends as it should."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from flamingo.cli import serve
from flamingo.cli.main import main

KEY = "a-key-of-some-length"
ASKED = {
    "model": "miniature",
    "messages": [{"role": "user", "content": "Output:"}],
    "max_tokens": 300,
    "n": 8,
    "temperature": 2.0,
    "seed": 3,
}


class Process:
    """A server of its own."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "flamingo.cli.main", "serve", "--port", "0", *options]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, serve.KEYS_VARIABLE: KEY, "OMP_NUM_THREADS": "1"},
        )
        self.url = ""

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        self.url = found[0]

    def ask(self) -> httpx.Response:
        address, own = f"{self.url}/v1/chat/completions", {"Authorization": f"Bearer {KEY}"}
        return httpx.post(address, json=ASKED, headers=own, timeout=60)

    def end(self) -> tuple[int, str]:
        """The exit code and what was written to the log."""
        _, log = self.process.communicate(timeout=30)
        return self.process.returncode, log


@pytest.fixture(scope="module")
def processes() -> Iterator[list[Process]]:
    """Two, which begin at the same time."""
    both = [Process("--dtype", "steady"), Process("--dtype", "steady")]
    for one in both:
        one.wait_until_ready()
    yield both
    for one in both:
        one.process.kill()
        one.process.communicate()


def test_it_finishes_what_it_accepted(processes: list[Process]) -> None:
    server = processes[0]
    assert httpx.get(f"{server.url}/v1/models").status_code == 401
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(server.ask()))
    asking.start()
    while "num_running 0" in _state(server) and not answers:
        time.sleep(0.01)
    server.process.send_signal(signal.SIGTERM)
    asking.join(60)
    code, log = server.end()
    assert answers[0].status_code == 200
    assert len(answers[0].json()["choices"]) == 8
    assert code == 0, log
    assert "POST /v1/chat/completions 200" in log
    assert KEY not in log
    assert "Traceback" not in log


def _state(server: Process) -> str:
    own = {"Authorization": f"Bearer {KEY}"}
    text = httpx.get(f"{server.url}/metrics", headers=own).text
    [line] = re.findall(r"^flamingo_engine_(num_running \d+)", text, re.MULTILINE)
    return str(line)


def test_a_second_signal_ends_it_at_once(processes: list[Process]) -> None:
    server = processes[1]
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        # A body that does not come keeps the server waiting.
        connection.sendall(
            f"POST /v1/few_shot HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\n"
            "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n".encode()
        )
        time.sleep(0.3)
        server.process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(0.7)
        server.process.send_signal(signal.SIGINT)
        assert server.end()[0] == 130


def failed(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["serve", *options]) == 2
    return capsys.readouterr().err


def test_wrong_options_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "visuls" in failed(capsys, "--limit", "visuls=3")
    assert "must be above 0" in failed(capsys, "--limit", "visuals=0")
    assert "--grace" in failed(capsys, "--grace", "-1")
    assert "no key" in failed(capsys, "--api-key-file", str(_file(tmp_path, "# none\n")))
    assert "port" in failed(capsys, "--host", "203.0.113.1")
    for port in ("70000", "-1"):
        said = failed(capsys, "--port", port)
        assert f"port is {port}" in said
        assert "Something else" not in said
        assert ".." not in said
    assert "http://a.org" in failed(capsys, "--host-name", "http://a.org")


def test_keys_are_in_one_place(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(serve.KEYS_VARIABLE, KEY)
    assert "one place" in failed(capsys, "--api-key-file", str(_file(tmp_path, KEY)))


def test_keys_that_others_may_read_are_told_of_in_the_log(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    keys = _file(tmp_path, f"{KEY}\n")
    keys.chmod(0o644)
    logger = logging.getLogger("flamingo.serving")
    before = (logger.level, logger.propagate, list(logger.handlers))
    said = failed(capsys, "--api-key-file", str(keys), "--port", "70000")
    assert re.search(r"^\d{4}-.* WARNING Others may read the keys", said, re.MULTILINE), said
    # What a failed start has set up does not stay.
    assert (logger.level, logger.propagate, list(logger.handlers)) == before


def test_a_missing_extra_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "_EXTRA", ("fastapi", "no_such_package"))
    text = failed(capsys)
    assert "no_such_package" in text
    assert 'pip install "flamingo-vlm[serve]"' in text


def _file(folder: Path, text: str) -> Path:
    path = folder / "keys"
    path.write_text(text)
    path.chmod(0o600)
    return path
