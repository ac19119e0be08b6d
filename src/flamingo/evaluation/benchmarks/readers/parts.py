"""The official parts of a benchmark, found by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from flamingo.foundation.errors import ConfigError, nearest

T = TypeVar("T")


def part_of(parts: Mapping[str, T], name: str, title: str) -> T:
    """What a reader knows of a part.

    Args:
        parts: all that the benchmark has.
        name: of the part.
        title: of the benchmark, for the error.

    Raises:
        ConfigError: there is no such part.
    """
    if name not in parts:
        raise ConfigError(f"{title} has no part {name!r}.\n{nearest(name, parts)}")
    return parts[name]
