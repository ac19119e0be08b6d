"""How a task of lmms-eval wants an answer written."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flamingo.foundation.errors import ConfigError

MAX_NEW_TOKENS = 128
"""Where a task does not say how long an answer may be; an answer ends by itself at `<EOC>`."""


@dataclass(frozen=True)
class LmmsSettings:
    """What of a task's generation settings counts here.

    Attributes:
        num_beams: 1 is greedy.
        max_new_tokens: an answer that is longer is cut.
        until: strings before which an answer ends.
    """

    num_beams: int
    max_new_tokens: int
    until: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Mapping[str, Any], num_beams: int = 0) -> LmmsSettings:
        """Reads the settings of a request; the rest of them is for other models.

        Answers are searched for, never sampled: a task that wants sampling is told in a warning.

        Args:
            settings: as lmms-eval passes them on.
            num_beams: goes before the task's own, if it is not 0.
        """
        if settings.get("do_sample") or settings.get("temperature"):
            warnings.warn(
                f"A task wants answers sampled ({dict(settings)}), but they are searched for: "
                "the same ones in every run.",
                stacklevel=2,
            )
        until = settings.get("until") or ()
        return cls(
            num_beams=num_beams or int(settings.get("num_beams") or 1),
            max_new_tokens=int(settings.get("max_new_tokens") or MAX_NEW_TOKENS),
            until=(until,) if isinstance(until, str) else tuple(until),
        )

    def cut(self, answer: str) -> str:
        """The answer up to the first of the strings that end it."""
        ends = [answer.find(text) for text in self.until if text]
        return answer[: min((end for end in ends if end >= 0), default=len(answer))].strip()


def whole_number(name: str, value: int | float | str, least: int) -> int:
    """A setting that is a whole number, however it was written.

    Raises:
        ConfigError: it is none, or too small.
    """
    try:
        number = int(str(value))
    except ValueError:
        number = least - 1
    if number < least:
        raise ConfigError(f"{name} is {value!r}, but must be a whole number from {least} on.")
    return number
