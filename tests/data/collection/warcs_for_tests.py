"""Web archives, written by hand."""

from __future__ import annotations

import gzip
from collections.abc import Iterable


def record(kind: str, url: str, block: bytes, content_type: str = "") -> bytes:
    """One record of an archive."""
    content_type = content_type or "application/http; msgtype=response"
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\n"
        "WARC-Date: 2024-01-02T03:04:05Z\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def answer(
    body: bytes, content_type: str = "text/html", more: str = "", status: str = "200 OK"
) -> bytes:
    """An answer of a web server."""
    typed = f"Content-Type: {content_type}\r\n" if content_type else ""
    return f"HTTP/1.1 {status}\r\n{typed}{more}\r\n".encode() + body


def page(url: str, body: bytes, content_type: str = "text/html", **more: str) -> bytes:
    """The record of an answer."""
    return record("response", url, answer(body, content_type, **more))


def chunked(body: bytes, size: int = 5) -> bytes:
    """A body as servers send it piece by piece."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def compressed(records: Iterable[bytes]) -> bytes:
    """An archive that is compressed record by record; the same bytes at any time."""
    return b"".join(gzip.compress(one, mtime=0) for one in records)
