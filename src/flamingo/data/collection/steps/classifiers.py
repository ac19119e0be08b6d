"""Explicit content as a classifier sees it, which the user brings along."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from flamingo.foundation.errors import ConfigError, reason

Thumbnail = npt.NDArray[np.uint8]
"""`[height, width, 3]`, no side longer than 64."""


@runtime_checkable
class ImageClassifier(Protocol):
    """Says how likely pictures are explicit."""

    def __call__(self, thumbnails: Sequence[Thumbnail]) -> Sequence[float]:
        """From 0 to 1, for each picture."""


@runtime_checkable
class TextClassifier(Protocol):
    """Says how likely a text is explicit."""

    def __call__(self, text: str) -> float:
        """From 0 to 1."""


def check_classifier(step: str, path: str | None) -> None:
    """Makes sure that there is something to call under an import path; None is no classifier.

    The module is imported, so that a wrong name is found before hours of work; a class is not
    yet called.

    Raises:
        ConfigError: the path is not written as "package.module:name", or leads nowhere.
    """
    if path is not None:
        try:
            _named(path)
        except ConfigError as error:
            raise ConfigError(f"{step}: {error}") from error


@cache
def loaded_classifier(path: str) -> Callable[..., Any]:
    """The classifier under an import path, made once in each process.

    Args:
        path: "package.module:name" of a function, of an object that can be called, or of a class
            whose objects can be called and which takes no arguments.

    Raises:
        ConfigError: the path leads nowhere.
    """
    found = _named(path)
    made: Callable[..., Any] = found() if isinstance(found, type) else found
    return made


def _named(path: str) -> Callable[..., Any]:
    module_name, colon, name = path.partition(":")
    if not colon or not module_name or not name:
        raise ConfigError(
            f"{path!r} is no import path.\nWrite package.module:name, such as my_filters:explicit."
        )
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:
        # Whatever a user's module does on import: the answer is that it cannot be used.
        raise ConfigError(
            f"the classifier {path} cannot be imported: {reason(error)}\n"
            "Is its folder on PYTHONPATH, and the name right?"
        ) from error
    if not callable(found):
        raise ConfigError(
            f"the classifier {path} is a {type(found).__name__}; it cannot be called."
        )
    named: Callable[..., Any] = found
    return named
