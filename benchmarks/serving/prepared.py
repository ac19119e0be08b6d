"""Requests as bytes, made before a clock starts."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from typing import Any

from PIL import Image

from flamingo.prompting import Example

FEW_SHOT, CHAT = "/v1/few_shot", "/v1/chat/completions"


@dataclass(frozen=True)
class Prepared:
    """One request.

    Attributes:
        kind: under which it is counted.
        path: of the address.
        body: JSON.
        is_stream: whether the answer comes as server-sent events.
    """

    kind: str
    path: str
    body: bytes
    is_stream: bool = False

    def written(self, host: str, request_id: str) -> bytes:
        """All that is sent, for a connection that stays open."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"X-Request-ID: {request_id}\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


def prepared(kind: str, path: str, body: dict[str, Any]) -> Prepared:
    """A request of this body."""
    return Prepared(kind, path, json.dumps(body).encode(), bool(body.get("stream")))


def data_url(example: Example) -> str:
    """The picture of an example, as PNG."""
    file = io.BytesIO()
    Image.fromarray(example.visuals[0].frames[0]).save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def shown(example: Example) -> dict[str, str]:
    """An example as few-shot requests have it, its answer with it if it has one."""
    return {"visual": data_url(example), **example.fields}
