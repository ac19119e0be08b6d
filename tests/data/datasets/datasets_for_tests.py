"""Small data sets, written here with the standard library alone."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from flamingo.data import Encoded, Encoder, VisualTransform, prepare_tokenizer
from flamingo.data.datasets import DatasetConfig, DatasetSource, RawSample, build_dataset
from flamingo.data.datasets.raw_samples import BrokenSample
from flamingo.data.skipping import Drawn
from flamingo.foundation.randomness import generator
from flamingo.sequence import Visual
from tests.data.media_for_tests import gray
from tests.data.tokenizers_for_tests import byte_level_bpe

ENCODER = Encoder(prepare_tokenizer(byte_level_bpe()))
IDS = ENCODER.prepared.ids
TRANSFORM = VisualTransform(8, mean=(0.0,) * 3, std=(1.0,) * 3)


def tar_bytes(members: Mapping[str, bytes] | list[tuple[str, bytes]]) -> bytes:
    """A tar as any other program would write it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in members.items() if isinstance(members, Mapping) else members:
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), 1_000_000_000
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def write_tar(path: Path, members: Mapping[str, bytes] | list[tuple[str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tar_bytes(members))
    return path


def picture(value: int, kind: str = "PNG", size: tuple[int, int] = (12, 8)) -> bytes:
    """An image of one gray, so that a test can tell which it was."""
    buffer = io.BytesIO()
    Image.fromarray(gray(value, *size)).save(buffer, kind)
    return buffer.getvalue()


def as_json(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def pair_members(first: int, last: int) -> dict[str, bytes]:
    """Pairs whose image has the gray, and whose text has the number, of their place."""
    members = {}
    for number in range(first, last):
        members[f"{number:04d}.png"] = picture(number % 250)
        members[f"{number:04d}.txt"] = f"cat {number}".encode()
    return members


def raw_sample(where: str = "sample", **members: bytes) -> RawSample:
    """A sample in memory; write `_0_png` for a member `0.png`."""
    named = {name.removeprefix("_").replace("_", "."): value for name, value in members.items()}

    def read(name: str) -> bytes:
        if name not in named:
            raise BrokenSample(f"there is no member {name}")
        return named[name]

    return RawSample(where, tuple(named), read)


def draws_of(seed: int) -> Any:
    return lambda purpose: generator("test", seed, purpose)


def no_draws(purpose: str) -> None:
    return None


def source(kind: Any, path: Path | str, name: str = "data", **settings: Any) -> DatasetSource:
    config = DatasetConfig(kind=kind, path=str(path), **settings)
    return build_dataset(name, config, ENCODER, TRANSFORM, pad_id=IDS.pad)


def text_of(encoded: Encoded | list[int]) -> str:
    ids = encoded.token_ids if isinstance(encoded, Encoded) else encoded
    return ENCODER.prepared.tokenizer.decode(ids)


def rows(drawn: Drawn) -> Iterator[dict[str, Any]]:
    """Each row of a batch without its padding, as plain values."""
    batch = drawn.batch
    for row in range(len(batch.input_ids)):
        real = batch.attention_mask[row].bool()
        frames = batch.frame_mask[row] if batch.frame_mask is not None else None
        yield {
            "text": text_of(batch.input_ids[row][real].tolist()),
            "index": batch.visual_index[row][real].tolist(),
            "weights": batch.loss_weights[row][real].tolist(),
            "frames": [] if frames is None else batch.pixel_values[row][frames].tolist(),
        }


def texts(drawn: Drawn) -> list[str]:
    """The text of each row, without tags."""
    tags = ENCODER.prepared.markup.tags
    found = []
    for row in rows(drawn):
        text = row["text"]
        for tag in tags:
            text = text.replace(tag, "")
        found.append(text.strip())
    return found


def mean_gray(visual: Visual) -> float:
    return float(np.mean(visual.frames))
