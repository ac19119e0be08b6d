"""Benchmarks as a user names them: folders, archives, files of hashes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flamingo.data.collection.deduplication import BenchmarkImages, benchmark_images
from flamingo.foundation.errors import ConfigError, DataError


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 24, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    folder = tmp_path / "coco"
    (folder / "val").mkdir(parents=True)
    for number in range(3):
        (folder / "val" / f"{number}.png").write_bytes(png(number))
    return folder


def test_folders_archives_and_files_of_hashes(coco: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "flickr.zip", "w") as archive:
        archive.writestr("images/9.png", png(9))
    benchmark_images(str(tmp_path / "flickr.zip")).write(tmp_path / "hashes.npz")
    both = benchmark_images(f"{coco}, {tmp_path / 'hashes.npz'}")
    assert both.sets == ("coco", "flickr")
    assert [both.name(row) for row in range(4)] == [
        *(f"coco: val/{number}.png" for number in range(3)),
        "flickr: images/9.png",
    ]


def test_the_same_images_are_looked_at_once(
    coco: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = benchmark_images(str(coco), tmp_path / "kept")
    with monkeypatch.context() as context:
        context.setattr(BenchmarkImages, "of", None)
        again = benchmark_images(str(coco), tmp_path / "kept")
    assert again.keys == first.keys
    assert again.pixels.tolist() == first.pixels.tolist()
    (coco / "val" / "0.png").write_bytes(png(7))
    changed = benchmark_images(str(coco), tmp_path / "kept")
    assert [a == b for a, b in zip(changed.pixels, first.pixels, strict=True)] == [
        False,
        True,
        True,
    ]


def test_what_cannot_be_read_is_told(coco: Path) -> None:
    (coco / "val" / "8.png").write_bytes(png(8)[:40])
    with pytest.warns(UserWarning, match=r"1 of 4 images in .*coco cannot be read.*8\.png"):
        assert len(benchmark_images(str(coco)).keys) == 3


def test_what_cannot_be_is_refused(coco: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two that are called 'coco'"):
        benchmark_images(f"{coco},{coco}")
    with pytest.raises(ConfigError, match="names no path"):
        benchmark_images(" , ")
    with pytest.raises(DataError, match="is no folder, tar or zip"):
        benchmark_images(str(tmp_path / "nowhere"))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"no")
    with pytest.raises(DataError, match="None of the 1 images"):
        benchmark_images(str(tmp_path / "bad"))
