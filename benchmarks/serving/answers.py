"""What a reply says, and whether it is one whole answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from benchmarks.serving.prepared import CHAT, Prepared

_DONE = "[DONE]"


@dataclass(frozen=True)
class Said:
    """An answer.

    Attributes:
        id: of the answer; each has its own.
        text: of it.
        score: its log-likelihood, where it is told.
    """

    id: str
    text: str
    score: float | None


class Incomplete(Exception):  # noqa: N818 (what the answer is, not what happened)
    """A reply is not one whole answer."""


def said(request: Prepared, body: bytes) -> Said:
    """The answer in a reply of status 200.

    Raises:
        Incomplete: it is cut off, has an error in it, or more than one end.
    """
    try:
        if not request.is_stream:
            return _whole(json.loads(body))
        return _streamed(request, _events(body))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Incomplete(f"{type(error).__name__}: {error}") from error


def _whole(answer: dict[str, Any]) -> Said:
    if answer["object"] == "few_shot.answer":
        return Said(answer["id"], answer["answer"], answer["score"])
    choice = answer["choices"][0]
    if choice["finish_reason"] not in ("stop", "length"):
        raise Incomplete(f"it ends by {choice['finish_reason']!r}")
    return Said(answer["id"], choice["message"]["content"], None)


def _events(body: bytes) -> list[str]:
    lines = body.decode().split("\n\n")
    if lines.pop() != "":
        raise Incomplete("the last event is cut off")
    events = [line.removeprefix("data: ") for line in lines if not line.startswith(":")]
    if events.count(_DONE) != 1 or events[-1] != _DONE:
        raise Incomplete(f"{_DONE} comes {events.count(_DONE)} times, the last is {events[-1]!r}")
    return events[:-1]


def _streamed(request: Prepared, events: list[str]) -> Said:
    chunks = [json.loads(event) for event in events]
    if any("error" in chunk for chunk in chunks):
        raise Incomplete(f"an error in the stream: {chunks[-1]}")
    if request.path == CHAT:
        pieces = [choice for chunk in chunks for choice in chunk["choices"]]
        if [piece["finish_reason"] for piece in pieces if piece["finish_reason"]] == []:
            raise Incomplete("no piece says that it is the last")
        text = "".join(piece["delta"].get("content") or "" for piece in pieces)
        return Said(chunks[0]["id"], text, None)
    answer = _whole(chunks[-1])
    text = "".join(chunk["delta"] for chunk in chunks[:-1])
    if text != answer.text:
        raise Incomplete(f"the pieces say {text!r} and the whole says {answer.text!r}")
    return answer
