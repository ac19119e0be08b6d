"""Hashes of benchmark images come back from their file, and know copies as a crawl has them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flamingo.data.collection.deduplication import BenchmarkImages, signature_of
from flamingo.data.collection.images.loading import load_image
from flamingo.data.collection.pages import ImageNode, LoadedImage
from flamingo.foundation.errors import DataError
from flamingo.sequence import Visual
from tests.data.collection.deduplication.pages_for_tests import page
from tests.evaluation.smooth_pictures import smooth_picture


def images(name: str, *pictures: Image.Image) -> BenchmarkImages:
    visuals = [(f"{number}.png", Visual.from_image(one)) for number, one in enumerate(pictures)]
    return BenchmarkImages.of(name, visuals)


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    both = BenchmarkImages.joined(
        [
            images("coco", smooth_picture(0), Image.new("RGB", (9, 9))),
            images("vqa", smooth_picture(1)),
            images("coco", smooth_picture(2)),
        ]
    )
    assert both.sets == ("coco", "vqa")
    assert both.set_of.tolist() == [0, 0, 1, 0]
    assert both.has_look.tolist() == [True, False, True, True]
    assert both.name(2) == "vqa: 0.png"
    path = tmp_path / "deep" / "known.npz"
    both.write(path)
    again = BenchmarkImages.read(path)
    assert (again.sets, again.keys) == (both.sets, both.keys)
    for name in ("set_of", "pixels", "looks", "has_look"):
        np.testing.assert_array_equal(getattr(again, name), getattr(both, name))
    again.write(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()
    assert [one.name for one in path.parent.iterdir()] == ["known.npz"]


def test_a_copy_in_a_crawl_has_the_same_hashes() -> None:
    file = io.BytesIO()
    smooth_picture(0).save(file, "PNG")
    loaded = load_image(file.getvalue(), longest_side=64)
    assert isinstance(loaded, LoadedImage)
    signature = signature_of(page("a", ImageNode("b", image=loaded)))
    known = images("coco", smooth_picture(0))
    assert signature.pixels.tolist() == known.pixels.tolist()
    assert signature.looks.tolist() == known.looks.tolist()


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not hashes")
    np.savez(tmp_path / "other.npz", pixels=np.zeros(2))
    np.save(tmp_path / "one.npy", np.zeros(2))
    for name in ("text", "other.npz", "one.npy", "none"):
        with pytest.raises(DataError, match="holds no images of benchmarks"):
            BenchmarkImages.read(tmp_path / name)


def test_columns_of_other_lengths_are_refused() -> None:
    own = images("coco", smooth_picture(0))
    with pytest.raises(DataError, match="1 keys, 1 set_of, 2 pixels"):
        BenchmarkImages(
            own.sets, own.keys, own.set_of, np.zeros(2, np.uint64), own.looks, own.has_look
        )
