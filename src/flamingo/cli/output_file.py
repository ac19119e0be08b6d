"""A file that a verb writes when its work is done, checked before it begins."""

from __future__ import annotations

from pathlib import Path


def check_output_file(option: str, path: Path | None) -> None:
    """Refuses a place where no file can be written.

    Args:
        option: that names it, such as "--json".
        path: of the file; None if the option was not given.

    Raises:
        ConfigError: its folder is not there, or it is a folder itself.
    """
    from flamingo.foundation.errors import ConfigError

    if path is None:
        return
    if path.is_dir():
        raise ConfigError(f"{option} is {path}, a folder, but must be a file. Name one in it.")
    if not path.parent.is_dir():
        raise ConfigError(f"There is no folder {path.parent} to write {path.name} into.")
