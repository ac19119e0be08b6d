"""Notes what a process opens, connects to and starts, and what must not be among it."""

from __future__ import annotations

import contextlib
import os
import re
import site
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_FORBIDDEN = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen",
              "os.system", "os.exec", "os.posix_spawn", "os.symlink", "os.link")  # fmt: skip
_CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "os.chown",
            "shutil.rmtree", "shutil.move")  # fmt: skip
_LISTS = ("os.listdir", "os.scandir")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """Watches this process until `end` is called.

    Args:
        readable: folders that may be read; those of Python and its libraries are too.
        writable: folders in which files may be made and removed.

    Attributes:
        violations: what was tried otherwise.
    """

    def __init__(self, readable: Sequence[Path], writable: Sequence[Path]) -> None:
        self.violations: list[str] = []
        libraries = [sys.prefix, sys.base_prefix, *site.getsitepackages(), *sys.path,
                     *sysconfig.get_paths().values(), "/proc/self", "/proc/cpuinfo", "/sys",
                     "/usr/share/zoneinfo", "/etc/mime.types", "/etc/localtime"]  # fmt: skip
        self._writable = [os.path.realpath(path) for path in writable]
        self._readable = [
            os.path.realpath(path) for path in (*map(str, readable), *libraries) if path
        ]
        self._readable += [*self._writable, "/dev/null", "/dev/urandom"]
        self._is_looking = False
        sys.addaudithook(self._heard)

    def taken(self) -> tuple[str, ...]:
        """The violations since this was called last."""
        violations, self.violations = tuple(self.violations), []
        return violations

    def end(self) -> None:
        """Looks no more; Python has no way to remove what listens."""
        self._is_looking = True

    def _heard(self, event: str, args: tuple[Any, ...]) -> None:
        if self._is_looking:
            return
        if event in _FORBIDDEN:
            self.violations.append(f"{event} {args!r:.200}")
        elif event == "open":
            path, mode, flags = args
            is_writing = bool((flags or 0) & _WRITING) or bool(set(mode or "") & set("wax+"))
            self._check(event, path, self._writable if is_writing else self._readable)
        elif event in _CHANGES:
            self._check(event, args[0], self._writable)
        elif event in _LISTS:
            self._check(event, args[0], self._readable)

    def _check(self, event: str, path: Any, allowed: Sequence[str]) -> None:
        # A file descriptor was opened by name before.
        if isinstance(path, int) or path is None:
            return
        self._is_looking = True
        try:
            real = os.path.realpath(os.fsdecode(path))
        except ValueError:
            return
        finally:
            self._is_looking = False
        if not any(real == one or real.startswith(one + os.sep) for one in allowed):
            self.violations.append(f"{event} {os.fsdecode(path)[:200]!r}, which is {real!r}")


def memory_from_here() -> int:
    """Begins the peak of this process' memory anew, where the system can; what it has now."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def peak_memory() -> int:
    """The most memory that this process had, in bytes."""
    return _memory("VmHWM")


def _memory(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    return 1024 * int(found.group(1)) if found else 0


def state_of(folder: Path, but: Sequence[Path]) -> dict[str, tuple[int, ...]]:
    """Size and times of all that is below a folder, apart from some of its folders."""
    skipped = {str(path) for path in but}
    found: dict[str, tuple[int, ...]] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if os.path.join(parent, name) not in skipped]
        for name in (*folders, *names):
            path = os.path.join(parent, name)
            state = os.lstat(path)
            # The time of a folder changes with the folders in it that are meant to.
            is_folder = os.path.isdir(path)
            found[path] = () if is_folder else (state.st_size, state.st_mtime_ns, state.st_ino)
    return found
