"""The libraries that collecting data needs and nothing else does."""

from __future__ import annotations

from importlib.util import find_spec

from flamingo.foundation.errors import ConfigError

_CRAWL = ("selectolax", "fastwarc", "resiliparse", "datasketch", "pyarrow")


def needs_crawl() -> None:
    """Makes sure that they are there.

    Raises:
        ConfigError: one is not installed.
    """
    if missing := [name for name in _CRAWL if find_spec(name) is None]:
        raise ConfigError(
            f"Preparing data needs {', '.join(missing)}, which {_is(missing)} not installed.\n"
            "pip install 'flamingo-vlm[crawl]' brings all of it."
        )


def needs_ray() -> None:
    """Makes sure that Ray is there.

    Raises:
        ConfigError: it is not installed.
    """
    if find_spec("ray") is None:
        raise ConfigError(
            "The engine 'ray' needs Ray, which is not installed.\n"
            "pip install 'flamingo-vlm[ray]'; or take the engine 'local'."
        )


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
