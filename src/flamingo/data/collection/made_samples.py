"""What sources of pairs and of clips give: samples, and what they refused, with the reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flamingo.data.collection.pages import LoadedImage

MAX_EXAMPLE = 200
"""Letters of a text or an address that is shown as an example."""


@dataclass(frozen=True)
class MadeSample:
    """A sample, ready to be written.

    Attributes:
        key: unique in its source; without a dot.
        members: bytes by ending, such as `jpg` and `json`.
        text: that the sample is to teach.
        image: of a pair, by which it is held against others; None of a clip.
    """

    key: str
    members: Mapping[str, bytes] = field(repr=False)
    text: str
    image: LoadedImage | None = None


@dataclass(frozen=True)
class Refused:
    """Something that could not, or was not to, become a sample.

    Attributes:
        step: that decided: "words", "image", "decoding"; the same name for every such case.
        reason: with the number that decided: "2 words, at least 3".
        example: the text or the address, cut.
    """

    step: str
    reason: str
    example: str


def refused(step: str, reason: str, example: str) -> Refused:
    """One thing refused; the example is cut, and made fit to be printed."""
    shown = example if len(example) <= MAX_EXAMPLE else example[: MAX_EXAMPLE - 1] + "…"
    return Refused(step, writable(reason), writable(shown))


def sample_json(text: str, provenance: Mapping[str, Any]) -> bytes:
    """The `json` member of a sample: its text and where it is from; what is None is left out.

    The same values give the same bytes, in the order in which they are given.
    """
    others = {name: value for name, value in provenance.items() if name != "text"}
    fields = {
        writable(name): _plain(value)
        for name, value in {"text": text, **others}.items()
        if value is not None
    }
    return json.dumps(fields, ensure_ascii=False, allow_nan=False).encode()


def writable(text: str) -> str:
    """A text as UTF-8 can write it: half of a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _plain(value: Any) -> Any:
    """A value from a file of any kind as JSON has it."""
    if isinstance(value, str):
        return writable(value)
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        # JSON has neither NaN nor infinity, and not every reader knows them.
        return value if abs(value) < float("inf") else str(value)
    return writable(str(value))
