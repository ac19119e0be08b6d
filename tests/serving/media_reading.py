"""Reads like a server does, in one call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from flamingo.data import FlamingoImageProcessor
from flamingo.sequence import Visual
from flamingo.serving.limits import Limits
from flamingo.serving.media import MediaReader, MediaRequest
from flamingo.serving.remote import RemoteFiles


def reader_of(
    limits: Limits | None = None, remote: RemoteFiles | None = None, reading: str = "upright"
) -> MediaReader:
    fit = "crop" if reading == "open_clip" else "pad"
    processor = FlamingoImageProcessor(size=32, reading=reading, fit=fit)
    return MediaReader(limits or Limits(), image_processor=processor, remote=remote)


def read_all(reader: MediaReader, requests: Sequence[MediaRequest]) -> list[Visual]:
    return asyncio.run(reader.read(requests))


def read(source: str | bytes, limits: Limits | None = None, **settings: object) -> Visual:
    reader = reader_of(limits)
    try:
        return read_all(reader, [MediaRequest(source, **settings)])[0]  # type: ignore[arg-type]
    finally:
        reader.close()
