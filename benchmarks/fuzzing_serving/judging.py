"""Requests with their answers, and what must not be in one."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TYPES = {
    401: "authentication_error",
    408: "timeout_error",
    429: "rate_limit_error",
    507: "server_error",
}
_PLACES = {Path.home(), Path(sys.prefix), Path(tempfile.gettempdir()), Path(__file__).parents[2]}
_INTERNALS = re.compile(
    "|".join(
        (
            r"Traceback|site-packages|\.py\b|File \"|0x[0-9a-f]{6,}|root:x:0",
            *(re.escape(f"{place}/") for place in _PLACES),
        )
    )
)
_MOST_ERROR = 8000
"""Bytes of an error: it must not give back all that was sent."""


@dataclass(frozen=True)
class Sent:
    """A request, and what came of it.

    Attributes:
        kind: of the request: what was broken.
        what: enough to send it again.
        status: of the answer; 0 if the connection was closed without one, -1 if nothing came in
            time.
        body: of the answer.
        seconds: until the answer was there.
        may_close: whether no answer is no fault: the request cannot be answered.
    """

    kind: str
    what: str
    status: int
    body: bytes
    seconds: float
    may_close: bool = False


def faults_of(sent: Sent) -> list[str]:
    """What must not be in this answer."""
    if sent.status == -1:
        return [f"no answer in {sent.seconds:.0f} s"]
    if sent.status == 0:
        return [] if sent.may_close else ["the connection was closed without an answer"]
    faults = []
    if sent.status >= 500 and sent.status != 507:
        faults.append(f"status {sent.status}")
    if sent.status >= 400:
        faults += _faults_of_error(sent.status, sent.body)
    elif sent.body.startswith(b"data: ") or b"\n\ndata: " in sent.body:
        faults += _faults_of_stream(sent.body)
    return faults


def _faults_of_error(status: int, body: bytes) -> list[str]:
    """Of an error's answer; that of a HEAD is empty."""
    if not body:
        return []
    faults = []
    text = body.decode(errors="replace")
    try:
        error = json.loads(body)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert isinstance(error["message"], str)
        assert error["message"]
        assert error["type"] == _TYPES.get(status, "invalid_request_error")
        assert error["code"] == "storage_full" or status != 507
    except (ValueError, LookupError, TypeError, AssertionError):
        faults.append(f"not in OpenAI's shape: {text[:200]!r}")
    if found := _INTERNALS.search(text):
        faults.append(f"tells {found[0]!r}: {text[:300]!r}")
    if len(body) > _MOST_ERROR:
        faults.append(f"an error of {len(body):,} bytes")
    return faults


def _faults_of_stream(body: bytes) -> list[str]:
    data = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
    faults = [] if data[-1] == b"[DONE]" else ["a stream without [DONE]"]
    for one in data[:-1]:
        form = json.loads(one)
        if "error" in form:
            kind = form["error"].get("type")
            status = next((n for n, name in _TYPES.items() if name == kind), 400)
            faults += _faults_of_error(status, one)
    return faults


def in_groups(sent: Sequence[Sent]) -> dict[str, dict[str, int]]:
    """How many requests of each kind had each status; kinds go up to their first colon."""
    groups: dict[str, dict[str, int]] = {}
    for one in sent:
        group = groups.setdefault(one.kind.partition(":")[0], {})
        name = {0: "closed", -1: "no answer"}.get(one.status, str(one.status))
        group[name] = group.get(name, 0) + 1
    return {kind: dict(sorted(group.items())) for kind, group in sorted(groups.items())}
