"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def written_whole(path: Path, *, make_folders: bool = True) -> Iterator[Path]:
    """The path of a new file that takes the place of another once all of it is written.

    A reader never sees half of it, and an error leaves what was there before. Several may write
    the same path: the last one's stays. A killed one leaves at most `*.unfinished` beside it.

    Args:
        path: where it will be.
        make_folders: whether folders that are missing are made.

    Yields:
        Where to write it. Forcing it to the disk is left to who writes.
    """
    if make_folders:
        path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}.unfinished")
    try:
        yield unfinished
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def write_bytes_whole(
    path: Path, data: bytes, *, mode: int = 0o666, make_folders: bool = True
) -> None:
    """Writes a file, and forces it to the disk before it takes its place.

    Args:
        path: where it will be.
        data: all of it.
        mode: who may read and write it, less what the process's umask forbids.
        make_folders: whether folders that are missing are made.
    """
    with written_whole(path, make_folders=make_folders) as unfinished:
        unfinished.touch(mode=mode, exist_ok=False)
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
