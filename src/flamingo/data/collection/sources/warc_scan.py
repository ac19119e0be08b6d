"""The records of a web archive, from beginning to end, over damaged places and on behind them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from flamingo.data.collection.sources.addresses import canonical
from flamingo.data.collection.sources.http_bodies import decoded_body
from flamingo.foundation.errors import DataError, reason

_GZIP = b"\x1f\x8b\x08"
_PLAIN = b"\nWARC/1."
_WINDOW = 1 << 20
_BLOCK = 1 << 16
_MAX_RESTARTS = 1000
_HTML = ("text/html", "application/xhtml+xml")
_PAGE_STARTS = (b"<!doctype html", b"<html")
_IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".bmp", ".tif", ".tiff")
_NO_TYPE = ("", "application/octet-stream", "binary/octet-stream", "application/unknown")


@dataclass(frozen=True)
class Damage:
    """A place in an archive that cannot be read.

    Attributes:
        offset: where it begins, or shortly before.
        reason: in one line.
    """

    offset: int
    reason: str


def records(file: BufferedIOBase, start: int = 0) -> Iterator[WarcRecord | Damage]:
    """All records from `start` on; damaged places are named and passed over.

    A record can be used until the next one is asked for. Of a damaged record that was given, a
    `Damage` of the same offset comes next.

    Args:
        file: can be sought in.
        start: where a record begins.
    """
    is_gzip = _is_gzip(file)
    position = start
    for _ in range(_MAX_RESTARTS):
        last, after, is_open, problem = position - 1, position, False, ""
        try:
            file.seek(position)
            for record in ArchiveIterator(file, parse_http=False):
                last, size, is_open = record.stream_pos, record.content_length, True
                after = last + 1
                yield record
                record.consume(record.content_length)
                # Where the file ends inside of a header, the length is not there yet.
                has_length = record.headers.get("Content-Length") is not None
                if record.reader.tell() < record.content_length or not has_length:
                    yield Damage(last, "the file is damaged or ends inside of this record")
                elif not is_gzip:
                    # What an archive inside of this record holds is none of ours.
                    after = last + size
                is_open = False
        except OSError as error:
            problem = reason(error)
        if problem:
            # The sum at the end of a record's own stream is only checked behind it.
            is_open = is_open or (is_gzip and last >= position and not _is_sound(file, last))
            yield Damage(last if is_open else after, problem)
        found = _next_start(file, max(after, last + 1, position + 1), is_gzip)
        if found is None:
            return
        position = found
    yield Damage(position, f"there are {_MAX_RESTARTS} damaged places before; the rest is left")


def _is_gzip(file: BufferedIOBase) -> bool:
    file.seek(0)
    head = file.read(_WINDOW)
    # Even where the first bytes are damaged.
    return head.startswith(_GZIP) or not (head.startswith(b"WARC/") or _PLAIN in head)


def _is_sound(file: BufferedIOBase, position: int) -> bool:
    """Whether what is compressed from here on unpacks to its end, with the sum that it gives."""
    decoder = zlib.decompressobj(31)
    file.seek(position)
    try:
        while not decoder.eof and (block := decoder.unconsumed_tail or file.read(_BLOCK)):
            decoder.decompress(block, _WINDOW)
    except zlib.error:
        return False
    return decoder.eof


def _next_start(file: BufferedIOBase, start: int, is_gzip: bool) -> int | None:
    """Where the next record may begin, at `start` or behind it."""
    mark = _GZIP if is_gzip else _PLAIN
    position = start if is_gzip else max(0, start - 1)
    overlap = len(mark) - 1
    while True:
        file.seek(position)
        window = file.read(_WINDOW)
        found = window.find(mark)
        while found >= 0:
            if not is_gzip:
                return position + found + 1
            if _unpacks_to_record(file, position + found):
                return position + found
            found = window.find(mark, found + 1)
        if len(window) < _WINDOW:
            return None
        position += len(window) - overlap


def _unpacks_to_record(file: BufferedIOBase, position: int) -> bool:
    file.seek(position)
    try:
        return zlib.decompressobj(31).decompress(file.read(1024), 5) == b"WARC/"
    except zlib.error:
        return False


def kind_of(record: WarcRecord) -> tuple[str, bytes]:
    """What a record holds, and the beginning of its body as far as it was read to tell.

    An answer counts if its status is 200 to 299. Where the server told no type, a page is known
    by its beginning, and an image by the ending of its address.

    Returns:
        "page", "image", or "" for all else, and often no byte.
    """
    if record.record_type == WarcRecordType.response:
        try:
            record.parse_http()
        except OSError:
            return "", b""
        status = record.http_headers.status_code if record.http_headers is not None else None
        if status is None or not 200 <= status < 300:
            return "", b""
    elif record.record_type != WarcRecordType.resource:
        return "", b""
    content_type = media_type(record)
    if content_type in _HTML:
        return "page", b""
    if content_type.startswith("image/"):
        return "image", b""
    if content_type not in _NO_TYPE:
        return "", b""
    if address_of(record).partition("?")[0].lower().endswith(_IMAGE_ENDINGS):
        return "image", b""
    if content_type:
        return "", b""
    try:
        start = record.reader.read(256)
    except OSError:
        return "", b""
    return ("page" if start.lstrip().lower().startswith(_PAGE_STARTS) else ""), start


def media_type(record: WarcRecord) -> str:
    """The content type without its fields, in small letters; empty if there is none."""
    headers = record.http_headers if record.http_headers is not None else record.headers
    return str(headers.get("Content-Type") or "").partition(";")[0].strip().lower()


def address_of(record: WarcRecord) -> str:
    """What the record is a copy of."""
    return canonical(str(record.headers.get("WARC-Target-URI") or ""))


def record_at(file: BufferedIOBase, offset: int) -> WarcRecord:
    """The record at a place, its HTTP headers read.

    Raises:
        DataError: there is none, or it is damaged.
    """
    try:
        file.seek(offset)
        record = next(iter(ArchiveIterator(file, parse_http=False)), None)
        if record is None or record.stream_pos != offset:
            raise DataError(f"there is no record at byte {offset:,}; the file has changed.")
        if record.record_type == WarcRecordType.response:
            record.parse_http()
    except OSError as error:
        raise DataError(f"the record at byte {offset:,} is damaged: {error}.") from error
    return record


def payload_of(record: WarcRecord, max_bytes: int, start: bytes = b"") -> bytes:
    """The body of a record without its codings.

    Args:
        record: that nothing but `start` was read of.
        max_bytes: of the result.
        start: what was read of its body already.

    Raises:
        DataError: it is damaged, cut off, or larger than `max_bytes`.
    """
    size = record.content_length
    if size > max_bytes:
        raise DataError(f"its {size:,} bytes are more than the {max_bytes:,} that are read.")
    try:
        # Asked for nothing, it would read on into what follows.
        rest = size - len(start)
        body = start + bytes(record.reader.read(rest) if rest > 0 else b"")
    except OSError as error:
        raise DataError(f"the record is damaged: {error}.") from error
    if len(body) < size:
        raise DataError(f"the record is cut off: {len(body):,} of {size:,} bytes are there.")
    headers: Any = record.http_headers
    if headers is None:
        return body
    return decoded_body(
        body, headers.get("Transfer-Encoding"), headers.get("Content-Encoding"), max_bytes
    )
