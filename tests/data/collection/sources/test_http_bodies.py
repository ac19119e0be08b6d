from __future__ import annotations

import contextlib
import gzip
import io
import zlib

import pytest
from fastwarc.stream_io import BrotliWriter, ZstdWriter
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.sources.http_bodies import decoded_body
from flamingo.foundation.errors import DataError
from tests.data.collection.warcs_for_tests import chunked

TEXT = b"<p>The same words, again and again.</p>" * 20
GZIPPED = gzip.compress(TEXT, mtime=0)


def _streamed(writer: type) -> bytes:
    file = io.BytesIO()
    stream = writer(file)
    stream.write(TEXT)
    stream.close()
    return file.getvalue()


CODINGS = {
    "": TEXT,
    "identity": TEXT,
    "gzip": GZIPPED,
    "x-gzip": GZIPPED,
    "deflate": zlib.compress(TEXT),
    "Deflate": zlib.compress(TEXT)[2:-4],
    "gzip, deflate": zlib.compress(GZIPPED),
}


@pytest.mark.parametrize("coding", list(CODINGS))
@pytest.mark.parametrize("is_chunked", [False, True])
def test_codings_are_taken_off(coding: str, is_chunked: bool) -> None:
    body = chunked(CODINGS[coding]) if is_chunked else CODINGS[coding]
    transfer = "chunked" if is_chunked else None
    assert decoded_body(body, transfer, coding, len(TEXT)) == TEXT


@pytest.mark.parametrize(("coding", "writer"), [("br", BrotliWriter), ("zstd", ZstdWriter)])
def test_newer_codings_are_taken_off(coding: str, writer: type) -> None:
    assert decoded_body(_streamed(writer), None, coding, len(TEXT)) == TEXT
    with pytest.raises(DataError, match="more than"):
        decoded_body(_streamed(writer), None, coding, len(TEXT) - 1)
    with pytest.raises(DataError, match="damaged"):
        decoded_body(b"no such thing", None, coding, 1000)


@pytest.mark.parametrize("coding", list(CODINGS))
def test_a_body_that_unpacks_to_too_much_is_refused(coding: str) -> None:
    with pytest.raises(DataError, match="more than the 100 bytes"):
        decoded_body(CODINGS[coding], None, coding, 100)


def test_a_body_that_was_decoded_already_stays() -> None:
    assert decoded_body(TEXT, "chunked", "gzip", 10_000) == TEXT


@pytest.mark.parametrize(
    ("body", "transfer", "coding", "problem"),
    [
        (GZIPPED[:-9], None, "gzip", "cut off"),
        (GZIPPED[:20] + b"xxxxxxxx", None, "gzip", "damaged|cut off"),
        (chunked(TEXT)[:50], "chunked", None, "cut off|damaged"),
        (b"5\r\nhello\r\nzz\r\n", "chunked", None, "damaged"),
        (b"x", None, "rot13", "'rot13' is none"),
    ],
    ids=["cut gzip", "damaged gzip", "cut chunks", "damaged chunks", "unknown coding"],
)
def test_damage_is_told(
    body: bytes, transfer: str | None, coding: str | None, problem: str
) -> None:
    with pytest.raises(DataError, match=problem):
        decoded_body(body, transfer, coding, 10_000)


@given(st.binary(max_size=300), st.sampled_from([*CODINGS, "br", "zstd"]), st.booleans())
def test_any_bytes_give_a_body_or_our_error(body: bytes, coding: str, is_chunked: bool) -> None:
    with contextlib.suppress(DataError):
        assert len(decoded_body(body, "chunked" if is_chunked else None, coding, 1000)) <= 1000
