"""The body of an HTTP answer as its sender meant it: unchunked, unpacked, and never too large."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any

from fastwarc.stream_io import BrotliReader, ZstdReader

from flamingo.foundation.errors import DataError

_CHUNK = 1 << 16


def decoded_body(body: bytes, transfer: str | None, coding: str | None, max_bytes: int) -> bytes:
    """A body without its codings.

    Archives often keep the headers of a body that they have decoded already, so a body that does
    not begin as its coding does is taken as it is.

    Args:
        body: as it was sent or stored.
        transfer: the header `Transfer-Encoding`.
        coding: the header `Content-Encoding`, such as "gzip".
        max_bytes: of the result; a small body may unpack to more than memory holds.

    Raises:
        DataError: it is damaged, cut off, too large, or of an unknown coding.
    """
    if "chunked" in (transfer or "").lower():
        body = _unchunked(body)
    for name in reversed((coding or "").lower().replace(" ", "").split(",")):
        if name in ("", "identity", "none"):
            continue
        if name not in _DECODERS:
            raise DataError(f"Content-Encoding {name[:40]!r} is none that is known.")
        body = _DECODERS[name](body, max_bytes)
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    return body


def _unchunked(body: bytes) -> bytes:
    pieces: list[bytes] = []
    position = 0
    while True:
        end = body.find(b"\n", position, position + 200)
        size = _chunk_size(body[position:end]) if end >= 0 else None
        if size is None:
            if not pieces:
                return body
            raise DataError(f"the chunked body is damaged or cut off at byte {position:,}.")
        if size == 0:
            return b"".join(pieces)
        piece = body[end + 1 : end + 1 + size]
        if len(piece) < size:
            raise DataError(f"the chunked body is cut off in a chunk of {size:,} bytes.")
        pieces.append(piece)
        position = end + 1 + size
        position += 2 if body[position : position + 2] == b"\r\n" else 1


def _chunk_size(line: bytes) -> int | None:
    digits = line.partition(b";")[0].strip()
    try:
        return int(digits, 16) if digits.isalnum() else None
    except ValueError:
        return None


def _gunzipped(body: bytes, max_bytes: int) -> bytes:
    return _inflated(body, max_bytes, 31) if body[:2] == b"\x1f\x8b" else body


def _deflated(body: bytes, max_bytes: int) -> bytes:
    # By the standard with the header of zlib, by habit without.
    has_header = len(body) >= 2 and body[0] & 15 == 8 and (body[0] * 256 + body[1]) % 31 == 0
    return _inflated(body, max_bytes, 15 if has_header else -15)


def _inflated(body: bytes, max_bytes: int, window: int) -> bytes:
    decoder = zlib.decompressobj(window)
    try:
        content = decoder.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise DataError(f"the compressed body is damaged: {error}.") from error
    if len(content) > max_bytes:
        raise _too_large(max_bytes)
    if not decoder.eof:
        raise DataError("the compressed body is cut off.")
    return content


def _streamed(reader: Callable[..., Any]) -> Callable[[bytes, int], bytes]:
    def decoded(body: bytes, max_bytes: int) -> bytes:
        pieces, size = [], 0
        try:
            stream = reader(io.BytesIO(body))
            while piece := stream.read(_CHUNK):
                pieces.append(piece)
                size += len(piece)
                if size > max_bytes:
                    raise _too_large(max_bytes)
        except (OSError, EOFError) as error:
            raise DataError(f"the compressed body is damaged: {error}.") from error
        return b"".join(pieces)

    return decoded


def _too_large(max_bytes: int) -> DataError:
    return DataError(f"the body has more than the {max_bytes:,} bytes that are read.")


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzipped,
    "x-gzip": _gunzipped,
    "deflate": _deflated,
    "br": _streamed(BrotliReader),
    "zstd": _streamed(ZstdReader),
}
