"""Images are found in the folders and archives in which benchmarks are published."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from flamingo.data.collection.deduplication import BenchmarkImages, visuals_in
from flamingo.data.collection.deduplication import benchmark_files as module
from flamingo.foundation.errors import DataError
from tests.evaluation.smooth_pictures import smooth_picture


def files() -> dict[str, bytes]:
    named: dict[str, bytes] = {"notes.txt": b"no image", "val/broken.jpg": b"no image either"}
    for number, kind in enumerate(("JPEG", "PNG", "GIF")):
        file = io.BytesIO()
        smooth_picture(number).save(file, kind)
        named[f"val/{number}.{kind}"] = file.getvalue()
    return named


def write(kind: str, folder: Path) -> Path:
    path = folder / f"images.{kind}"
    if kind == "folder":
        for name, content in files().items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files().items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as tar:
            for name, content in files().items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz"])
def test_every_kind_gives_the_same_images(kind: str, tmp_path: Path) -> None:
    skipped: list[str] = []
    found = BenchmarkImages.of("coco", visuals_in(write(kind, tmp_path), skipped))
    assert sorted(found.keys) == ["val/0.JPEG", "val/1.PNG", "val/2.GIF"]
    assert found.has_look.all()
    assert skipped == ["val/broken.jpg: the file is no picture of a known format"]


def test_an_animation_is_known_by_its_first_frame(tmp_path: Path) -> None:
    first, second = smooth_picture(0).quantize(64), smooth_picture(1).quantize(64)
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    first.save(tmp_path / "b.gif")
    found = BenchmarkImages.of("coco", visuals_in(tmp_path, []))
    assert len(set(found.pixels.tolist())) == 1


def test_large_files_are_skipped_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    Image.new("RGB", (400, 400), "red").save(tmp_path / "a.bmp")
    skipped: list[str] = []
    assert list(visuals_in(tmp_path, skipped)) == []
    assert skipped == ["a.bmp: the file has more than 100 bytes"]


def test_what_has_no_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(DataError, match="has no images"):
        list(visuals_in(tmp_path, []))
    for name in ("a.txt", "none"):
        with pytest.raises(DataError, match="no folder, tar or zip"):
            list(visuals_in(tmp_path / name, []))
    whole = write("tar.gz", tmp_path).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        list(visuals_in(tmp_path / "cut.tar.gz", []))
