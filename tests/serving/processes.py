"""`flamingo serve` as a process of its own."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx


class ServerProcess:
    """A server with the miniature, on a free port.

    Args:
        options: of the command.
        most_file_bytes: that any file may have which the process writes: a full disk.
    """

    def __init__(self, *options: str, most_file_bytes: int | None = None) -> None:
        command = [sys.executable, "-m", "flamingo.cli.main", "serve", "--port", "0", *options]

        def bounded() -> None:
            assert most_file_bytes is not None
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_file_bytes, most_file_bytes))

        self.process = subprocess.Popen(
            [*command, "--dtype", "steady"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            preexec_fn=bounded if most_file_bytes else None,
        )
        self.log: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        assert self.process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", self.process.stdout.readline())
        assert found, "".join(self.log)
        self.url = found[0]

    def post(self, path: str, body: object, seconds: float = 60) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", json=body, timeout=seconds)

    def metric(self, name: str) -> float:
        text = httpx.get(f"{self.url}/metrics", timeout=60).text
        found = re.search(rf"^flamingo_{name} (.+)$", text, re.MULTILINE)
        assert found, name
        return float(found[1])

    def end(self, seconds: float = 60) -> int:
        """The exit code, once it has ended by itself and its log is read."""
        code = self.process.wait(seconds)
        self._reading.join(10)
        return code

    def told(self) -> str:
        return "".join(self.log)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)


@contextmanager
def server_process(*options: str, most_file_bytes: int | None = None) -> Iterator[ServerProcess]:
    server = ServerProcess(*options, most_file_bytes=most_file_bytes)
    try:
        yield server
    finally:
        server.process.kill()
        server.end()
        assert server.process.stdout is not None
        server.process.stdout.close()
        assert server.process.stderr is not None
        server.process.stderr.close()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
