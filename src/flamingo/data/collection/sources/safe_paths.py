"""Files by names that strangers wrote: none leads out of its folder, and none blocks or fills."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from flamingo.foundation.errors import DataError

_MAX_NAME = 4096


def path_below(root: Path, name: str) -> Path | None:
    """The regular file of this name below a folder; None if there is none.

    Links are followed as long as they lead to a place below the folder. `..` may be in a name as
    long as it does not lead above the folder; a leading slash stands for the folder itself.
    """
    relative = normal_name(name)
    if relative is None:
        return None
    try:
        real_root = os.path.realpath(root)
        real = os.path.realpath(os.path.join(real_root, relative))
        if os.path.commonpath([real, real_root]) != real_root:
            return None
        return Path(real) if stat.S_ISREG(os.stat(real).st_mode) else None
    except (OSError, ValueError):
        return None


def normal_name(name: str) -> str | None:
    """A path without `.` and `..`; None where it is empty, impossible, or leads above its root."""
    if len(name) > _MAX_NAME or "\0" in name:
        return None
    relative = posixpath.normpath(name.lstrip("/")) if name.strip("/") else "."
    return None if relative in (".", "..") or relative.startswith("../") else relative


def possible_names(address: str) -> Iterator[str]:
    """The names that a file may have that a page calls so, the likeliest first.

    As it is; without a fragment; without a query; and then each with its %20 and the like
    written out, once, and with its backslashes turned as browsers turn them.
    """
    without_fragment = address.partition("#")[0]
    without_query = without_fragment.partition("?")[0]
    seen = set()
    for name in (address, without_fragment, without_query):
        for written in (name, unquote(name, errors="surrogateescape")):
            for turned in (written, written.replace("\\", "/")):
                if turned not in seen:
                    seen.add(turned)
                    yield turned


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """All of a regular file.

    Raises:
        DataError: it is larger, not a regular file, or cannot be read.
    """
    try:
        # Without waiting: a pipe that nobody writes to would never open.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise DataError(f"{path} is not a regular file.")
            content = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} cannot be read: {error}.") from error
    if len(content) > max_bytes:
        raise DataError(
            f"{path} has {found.st_size:,} bytes, more than the {max_bytes:,} that are read."
        )
    return content
