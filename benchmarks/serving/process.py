"""A server as a process of its own: how it is started, what it takes, how it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_TO_START, _TO_END = 180.0, 60.0
_ADDRESS = re.compile(r"http://([\w.]+):(\d+)/")


@dataclass(frozen=True)
class Process:
    """A running server.

    Args:
        host: name or number.
        port: of it.
        pid: of the process; None if it is not one of this machine.
    """

    host: str
    port: int
    pid: int | None

    def memory(self) -> dict[str, int]:
        """Bytes in memory now (`rss`) and at most so far (`peak`); empty if nobody can tell."""
        if self.pid is None:
            return {}
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii", errors="replace")
        found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", text, re.MULTILINE))
        return {"rss": 1024 * int(found["VmRSS"]), "peak": 1024 * int(found["VmHWM"])}

    def cpu_seconds(self) -> float:
        """That it took so far; 0 if nobody can tell."""
        if self.pid is None:
            return 0.0
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii", errors="replace")
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(options: Sequence[str], log: IO[bytes]) -> Iterator[Process]:
    """`flamingo serve` with these options on a free port, until the block ends.

    Args:
        options: of the command.
        log: is given what the server logs.

    Raises:
        RuntimeError: it does not start, or does not end by itself after SIGTERM.
    """
    command = [sys.executable, "-m", "flamingo.cli.main", "serve", "--port", "0", *options]
    # In a session of its own a Ctrl-C does not reach it.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
    )
    try:
        host, port = _address(process)
        yield Process(host, port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            raise RuntimeError(f"The server did not end in {_TO_END:g} s.") from None


def _address(process: subprocess.Popen[str]) -> tuple[str, int]:
    assert process.stdout is not None
    end = time.monotonic() + _TO_START
    while line := process.stdout.readline():
        if found := _ADDRESS.search(line):
            return found[1], int(found[2])
        if time.monotonic() > end:
            break
    raise RuntimeError("The server did not start; its log says why.")
