"""A server in a folder of its own, which is watched from inside and from outside."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve()
_TO_START, _TO_END = 180.0, 60.0
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = (
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.truncate",
    "os.chmod",
    "os.chown",
    "shutil.rmtree",
)
_ANYWHERE = (
    "/dev/urandom",
    "/proc/self/",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/",
    "/etc/mime.types",
)
LIMITS = {
    "request_bytes": 2_000_000,
    "visual_bytes": 500_000,
    "pixels": 2_000_000,
    "visuals": 16,
    "frames": 8,
    "stored_frames": 500,
    "request_pixels": 6_000_000,
    "decode_seconds": 10,
    "visual_cache_bytes": 20_000_000,
    "prompt_tokens": 1024,
    "new_tokens": 32,
    "answers": 4,
    "choices": 20,
    "seconds": 30,
    "pixel_bytes": 100_000_000,
    "support_sets": 40,
    "support_set_bytes": 20_000_000,
    "uploads": 60,
    "upload_bytes": 10_000_000,
}
"""Small, so that they are reached."""


@dataclass(frozen=True)
class Watched:
    """A running server, and what it may touch.

    Args:
        port: on 127.0.0.1.
        folder: in which it runs; all that it may write to is the folder `sets` in it.
        process: of the server.
    """

    port: int
    folder: Path
    process: subprocess.Popen[str]

    @property
    def sets(self) -> Path:
        """Where support sets are kept."""
        return self.folder / "sets"

    @property
    def log(self) -> str:
        """What the server wrote to its log."""
        return (self.folder.parent / "log").read_text(encoding="utf-8", errors="replace")

    def memory(self) -> int:
        """Bytes that are in memory now."""
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
        return 1024 * int(found[1]) if found else 0

    def num_open(self) -> int:
        """Files and connections that are open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def num_events(self) -> int:
        """That were noted so far."""
        return len(self._events())

    def forbidden(self, after: int) -> list[str]:
        """What it did that it must not, since so many events."""
        return [told for event in self._events()[after:] if (told := self._judged(*event))]

    def _events(self) -> list[tuple[str, list[Any]]]:
        lines = (self.folder.parent / "watch").read_text(encoding="utf-8").splitlines()
        return [tuple(json.loads(line)) for line in lines]

    def _judged(self, event: str, args: list[Any]) -> str:
        if event == "open":
            path, _, flags = args
            if isinstance(path, int) or self._may_open(path, bool((flags or 0) & _WRITING)):
                return ""
        elif event in _CHANGES and all(
            not isinstance(one, str) or self._may_open(one, is_writing=True) for one in args[:2]
        ):
            return ""
        return f"{event} {args!r:.300}"

    def _may_open(self, path: str, is_writing: bool) -> bool:
        real = os.path.realpath(os.path.join(self.folder, path))
        if os.path.dirname(real) == str(self.sets) or real == "/dev/null":
            return True
        if is_writing:
            return False
        # Links of an environment lead to the interpreter that it was made with.
        roots = {os.path.realpath(one) for one in (sys.prefix, sys.base_prefix)}
        roots |= {str(_HERE.parents[2] / "src"), str(_HERE.parent / "watched"), str(self.sets)}
        return real.startswith((*(f"{root}/" for root in roots), *_ANYWHERE, str(self.sets)))


@contextmanager
def watched(root: Path) -> Iterator[Watched]:
    """`flamingo serve` with small limits, until the block ends.

    Args:
        root: an empty folder.

    Raises:
        RuntimeError: it does not start.
    """
    folder = root / "run"
    folder.mkdir()
    options = ["--model", "miniature", "--dtype", "steady", "--support-sets", str(folder / "sets")]
    options += [word for name, n in LIMITS.items() for word in ("--limit", f"{name}={n}")]
    places = [str(_HERE.parent / "watched"), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, places)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "FLAMINGO_WATCH_LOG": str(root / "watch"),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "flamingo.cli.main", "serve", "--port", "0", *options]
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        )
    try:
        yield Watched(_port_of(process, root), folder, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port_of(process: subprocess.Popen[str], root: Path) -> int:
    assert process.stdout is not None
    end = time.monotonic() + _TO_START
    while time.monotonic() < end and process.poll() is None:
        if select.select([process.stdout], [], [], 0.5)[0]:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
            if found:
                return int(found[1])
    raise RuntimeError(f"The server did not start:\n{(root / 'log').read_text()[-2000:]}")
