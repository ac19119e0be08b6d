"""Files by address: a path of this machine, or whatever fsspec reaches; nothing is kept open.

Every function starts from the address alone, so that processes made by fork or spawn can use
the same data set: connections and open files are what they must not share.
"""

from __future__ import annotations

import glob
import itertools
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import fsspec  # type: ignore[import-untyped]

from flamingo.foundation.errors import ConfigError, DataError

Answer = TypeVar("Answer")

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_MAX_EXPANDED = 1_000_000
_RETRY_AFTER = (0.5, 2.0)
"""Seconds to wait before a remote store is asked again."""
_FINAL = (ImportError, PermissionError, TypeError, ValueError)
"""Errors that will be the same the next time."""


@dataclass(frozen=True)
class FileState:
    """What tells one version of a file from another.

    Args:
        num_bytes: its size.
        version: changes when the content does: a time on disk, fsspec's own key elsewhere.
    """

    num_bytes: int
    version: str


def is_remote(address: str) -> bool:
    """Whether fsspec is needed to reach it."""
    return "://" in address


def local_path(address: str) -> str:
    """The address, as a plain path where it is a `file://` one."""
    return address.removeprefix("file://")


def expanded(pattern: str) -> list[str]:
    """The addresses that a pattern stands for: `{000..099}`, `{a,b}`, then `*`, `?` and `**`.

    Braces name files whether they exist or not, so that a missing one is noticed; what a `*`
    finds is sorted.

    Raises:
        ConfigError: a range runs downwards, or stands for more than a million files.
    """
    pattern = os.path.expanduser(local_path(pattern))
    return [found for one in _without_braces(pattern) for found in _globbed(one)]


def file_state(address: str) -> FileState:
    """Size and version of a file.

    Raises:
        FileNotFoundError: there is none.
        DataError: it cannot be reached, or is no file.
    """
    if not is_remote(address):
        found = os.stat(address)
        if not stat.S_ISREG(found.st_mode):
            raise DataError(f"{address} is not a regular file.")
        return FileState(found.st_size, str(found.st_mtime_ns))

    def ask(files: Any, path: str) -> FileState:
        info = files.info(path)
        if info["type"] != "file" or info.get("size") is None:
            raise DataError(f"{address} is no file with a known size, as random access needs.")
        return FileState(int(info["size"]), str(files.ukey(path)))

    return _asked(address, ask)


def read_range(address: str, start: int, end: int) -> bytes:
    """The bytes from `start` to `end`; fewer where the file ends before.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: it cannot be reached.
    """
    if start >= end:
        return b""
    if is_remote(address):
        return _asked(address, lambda files, path: bytes(files.cat_file(path, start, end)))
    with open(address, "rb", buffering=0) as file:
        file.seek(start)
        return _read_fully(file, end - start)


def read_file(address: str) -> bytes:
    """All of a file.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: it cannot be reached, or is no regular file.
    """
    if is_remote(address):
        return _asked(address, lambda files, path: bytes(files.cat_file(path)))
    return read_range(address, 0, file_state(address).num_bytes)


@contextmanager
def opened(address: str) -> Iterator[Any]:
    """The file, open to be read from beginning to end.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: it cannot be reached.
    """
    if not is_remote(address):
        with open(address, "rb") as file:
            yield file
        return
    with _asked(address, lambda files, path: files.open(path, "rb")) as file:
        yield file


def is_folder(address: str) -> bool:
    """Whether there is a folder of this address."""
    if not is_remote(address):
        return os.path.isdir(address)
    return bool(_asked(address, lambda files, path: files.isdir(path)))


def files_below(folder: str) -> list[str]:
    """The paths of all files in a folder and in the folders in it, relative to it, sorted.

    Names that begin with a dot are not listed.
    """
    if is_remote(folder):
        found = _asked(folder, _remote_files_below)
    else:
        found = [
            os.path.relpath(os.path.join(parent, name), folder).replace(os.sep, "/")
            for parent, _, names in os.walk(folder)
            for name in names
        ]
    return sorted(p for p in found if not any(name.startswith(".") for name in p.split("/")))


def beside(address: str, name: str) -> str:
    """The address of `name`, relative to the folder that `address` is in.

    On this machine `name` may be an absolute path as well.
    """
    if name.startswith("/") and not is_remote(address):
        return name
    folder = address.rpartition("/")[0]
    return f"{folder}/{name}" if folder else name


def _remote_files_below(files: Any, path: str) -> list[str]:
    root = path.rstrip("/") + "/"
    return [found.removeprefix(root) for found in files.find(path)]


def _asked(address: str, ask: Callable[[Any, str], Answer]) -> Answer:
    """What a remote store answers, asked again a little later where it does not."""
    for delay in (*_RETRY_AFTER, None):
        try:
            files, path = fsspec.core.url_to_fs(address)
            return ask(files, path)
        except (FileNotFoundError, DataError):
            raise
        except Exception as error:  # every kind of store has errors of its own
            if delay is None or isinstance(error, _FINAL):
                raise DataError(
                    f"{address} cannot be reached: {type(error).__name__}: {error}.\n"
                    "Check the address, the rights to read it, and whether the package that "
                    "fsspec needs for this kind of address is installed."
                ) from error
            time.sleep(delay)
    raise AssertionError("the last turn of the loop returns or raises")


def _read_fully(file: Any, count: int) -> bytes:
    """`count` bytes, or all that are left: one call of the system may give fewer."""
    pieces = []
    while count > 0 and (piece := file.read(count)):
        pieces.append(piece)
        count -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _without_braces(pattern: str) -> list[str]:
    choices, last = [], 0
    for match in _BRACES.finditer(pattern):
        inside = _choices(match[1], pattern)
        if inside is not None:
            choices += [[pattern[last : match.start()]], inside]
            last = match.end()
    choices.append([pattern[last:]])
    count = 1
    for options in choices:
        count *= len(options)
    if count > _MAX_EXPANDED:
        raise ConfigError(f"{pattern} stands for {count:,} files, more than {_MAX_EXPANDED:,}.")
    return ["".join(pieces) for pieces in itertools.product(*choices)]


def _choices(inside: str, pattern: str) -> list[str] | None:
    """What stands in a pair of braces; none if, as in a shell, it is ordinary text."""
    bounds = _RANGE.fullmatch(inside)
    if bounds is None:
        return inside.split(",") if "," in inside else None
    first, last = bounds.groups()
    if int(last) < int(first):
        raise ConfigError(f"{pattern} runs downwards, from {first} to {last}.\nExchange the two.")
    if int(last) - int(first) >= _MAX_EXPANDED:
        raise ConfigError(f"{pattern} stands for more than {_MAX_EXPANDED:,} files.")
    has_zeros = any(bound.startswith("0") and len(bound) > 1 for bound in (first, last))
    width = max(len(first), len(last)) if has_zeros else 0
    return [f"{number:0{width}}" for number in range(int(first), int(last) + 1)]


def _globbed(pattern: str) -> list[str]:
    if not glob.has_magic(pattern):
        return [pattern]
    if not is_remote(pattern):
        # A file may really be called so.
        return [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern, recursive=True))
    return _asked(
        pattern, lambda files, path: sorted(map(files.unstrip_protocol, files.glob(path)))
    )
