"""Images that differ, captions for them, and short ways to read them back."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from flamingo.data.collection.made_samples import MadeSample, Refused
from flamingo.data.collection.pairs import PairSettings, PairSource
from flamingo.data.collection.pairs.records import CaptionReader, CaptionRecord


def photo(number: int, size: tuple[int, int] = (96, 80), kind: str = "PNG") -> bytes:
    """A picture that is not of one color, and whose red tells its number, below 12."""
    width, height = size
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[..., 0] = 20 * number
    pixels[..., 1] = np.linspace(0, 255, width)
    pixels[..., 2] = np.linspace(0, 255, height)[:, None]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def caption(number: int) -> str:
    return f"A small dog runs after ball {number}"


def write_photos(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number}.png").write_bytes(photo(number))


def records_of(reader: CaptionReader, size: int = 3) -> list[CaptionRecord | Refused]:
    return [one for piece in reader.pieces(size) for one in reader.records(piece)]


def whole_records(reader: CaptionReader, size: int = 3) -> list[CaptionRecord]:
    found = records_of(reader, size)
    assert all(isinstance(one, CaptionRecord) for one in found), found
    return [one for one in found if isinstance(one, CaptionRecord)]


def made(
    path: Path | str, size: int = 3, **settings: Any
) -> tuple[list[MadeSample], list[Refused]]:
    source = PairSource.open(str(path), PairSettings(**settings))
    return parted(one for piece in source.pieces(size) for one in source.samples(piece))


def parted(found: Iterable[MadeSample | Refused]) -> tuple[list[MadeSample], list[Refused]]:
    """Samples, and what was refused."""
    together = list(found)
    samples = [one for one in together if isinstance(one, MadeSample)]
    return samples, [one for one in together if isinstance(one, Refused)]


def fields_of(sample: MadeSample) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(sample.members["json"])
    return fields
