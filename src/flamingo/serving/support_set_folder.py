"""Support sets on disk: one file for each, which is there as a whole or not at all."""

from __future__ import annotations

import json
import logging
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.whole_files import write_bytes_whole
from flamingo.serving.errors import StorageFull
from flamingo.serving.limits import Limits
from flamingo.serving.support_set import SupportSet
from flamingo.serving.support_set_form import shareable, support_set_of

_LOGGER = logging.getLogger("flamingo.serving")
_NAME = re.compile(r"set-[0-9a-f]{24}\.json")
_UNFINISHED = re.compile(r"set-[0-9a-f]{24}\.json\.[0-9a-f]{16}\.unfinished")
_OVERHEAD = 2
"""A file is less than this many times as large as what is in it: base64 takes a third more."""


class SupportSetFolder:
    """A folder of support sets, of one server alone.

    Args:
        folder: is made if it is not there.
        limits: bound what is read back.

    Raises:
        ConfigError: there is no such folder, and it cannot be made.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"The folder {folder} for support sets cannot be made: {error.strerror}."
            ) from error

    def read(self) -> Iterator[SupportSet]:
        """All sets, the oldest one first; what is damaged is set aside, and the log says so.

        Raises:
            ConfigError: the folder cannot be read.
        """
        found = []
        try:
            paths = sorted(self._folder.iterdir())
        except OSError as error:
            raise ConfigError(f"{self._folder} cannot be read: {error.strerror}.") from error
        for path in paths:
            if _UNFINISHED.fullmatch(path.name):
                path.unlink(missing_ok=True)
            elif _NAME.fullmatch(path.name):
                try:
                    found.append(self._read(path))
                except (DataError, OSError, ValueError, RecursionError) as error:
                    self._set_aside(path, error)
        yield from sorted(found, key=lambda one: one.created)

    def write(self, kept: SupportSet) -> None:
        """Keeps a set through the next start, also if the power fails now.

        Raises:
            StorageFull: there is no room, or the folder cannot be written to.
        """
        about = {**shareable(kept), "owner": kept.owner, "created": kept.created}
        try:
            # The folder may be one that others can look into; if it is gone, so are other sets.
            data = json.dumps(about).encode()
            write_bytes_whole(self._path(kept), data, mode=0o600, make_folders=False)
            self._settle()
        except OSError as error:
            raise _full("kept", error) from error

    def remove(self, kept: SupportSet) -> None:
        """Forgets a set.

        Raises:
            StorageFull: the folder cannot be written to.
        """
        try:
            self._path(kept).unlink(missing_ok=True)
            self._settle()
        except OSError as error:
            raise _full("deleted", error) from error

    def _path(self, kept: SupportSet) -> Path:
        # The id is made of a hash: what a client says never becomes a part of a path.
        return self._folder / f"{kept.id}.json"

    def _read(self, path: Path) -> SupportSet:
        # A link would lead out of the folder, and anything but a file might never end.
        about = path.lstat()
        if not stat.S_ISREG(about.st_mode):
            raise DataError("it is no regular file.")
        if about.st_size > _OVERHEAD * self._limits.support_set_bytes:
            raise DataError(f"it has {about.st_size:,} bytes, more than all sets may have.")
        form: Any = json.loads(path.read_bytes())
        if not isinstance(form, dict):
            raise DataError("it is no object of JSON.")
        owner, created = form.get("owner"), form.get("created")
        if not isinstance(owner, str) or not isinstance(created, int):
            raise DataError("it does not say whose it is, and since when.")
        kept = support_set_of(form, owner, created, self._limits.visual_bytes)
        if kept.id != path.stem:
            raise DataError(f"its content has another id, {kept.id}.")
        return kept

    def _set_aside(self, path: Path, error: Exception) -> None:
        _LOGGER.warning("The support set %s is damaged and set aside: %s", path, error)
        try:
            os.replace(path, path.with_name(f"{path.name}.damaged"))
        except OSError as problem:
            _LOGGER.warning("It stays where it is: %s", problem)

    def _settle(self) -> None:
        """Has the folder itself written, where names of files are."""
        file = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def _full(verb: str, error: OSError) -> StorageFull:
    _LOGGER.error("a support set cannot be %s", verb, exc_info=error)
    return StorageFull(
        f"The support set cannot be {verb}: {error.strerror or type(error).__name__}.\n"
        "Tell whoever runs this server."
    )
