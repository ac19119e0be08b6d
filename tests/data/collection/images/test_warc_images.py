from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import pytest

from flamingo.data.collection.images.warc_images import WarcImages
from tests.data.collection.warcs_for_tests import chunked, compressed, page, record

PAGE = "http://a.org/"
RECORDS = [
    page(PAGE, b"<img src=1.png>"),
    page("http://a.org/1.png", b"first", "image/png"),
    page(
        "http://a.org/%C3%BC.jpg",
        chunked(b"second"),
        "image/jpeg",
        more="Transfer-Encoding: chunked\r\n",
    ),
    page("http://a.org/1.png", b"again", "image/png"),
    page("http://a.org/3.png?x=1", b"third", "application/octet-stream"),
    page("http://a.org/404.png", b"none", "image/png", status="404 Not Found"),
    record("resource", "<http://a.org/5.png>", b"fifth", "image/png"),
]


@pytest.mark.parametrize("is_gzip", [False, True])
def test_images_are_found_by_their_addresses(tmp_path: Path, is_gzip: bool) -> None:
    path = tmp_path / "x.warc"
    path.write_bytes(compressed(RECORDS) if is_gzip else b"".join(RECORDS))
    images = pickle.loads(pickle.dumps(WarcImages([path], tmp_path / "work")))
    assert images.find(PAGE, "http://A.org:80/1.png#x") == b"first"
    assert images.find(PAGE, "http://a.org/ü.jpg") == b"second"
    assert images.find(PAGE, "http://a.org/3.png?x=1") == b"third"
    assert images.find(PAGE, "http://a.org/5.png") == b"fifth"
    for missing in ("http://a.org/3.png", "http://a.org/404.png", PAGE, "1.png", ""):
        assert images.find(PAGE, missing) is None


def test_several_archives_are_one_place(tmp_path: Path) -> None:
    for number, body in enumerate((b"zero", b"one")):
        content = page(f"http://a.org/{number}.png", body, "image/png")
        both = page("http://a.org/both.png", body, "image/png")
        (tmp_path / f"{number}.warc").write_bytes(content + both)
    images = WarcImages([tmp_path / "0.warc", tmp_path / "1.warc"])
    assert images.find(PAGE, "http://a.org/1.png") == b"one"
    assert images.find(PAGE, "http://a.org/both.png") == b"zero"


def test_without_an_image_or_with_a_changed_file_nothing_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    path.write_bytes(gzip.compress(b"".join(RECORDS)))
    assert WarcImages([path]).find(PAGE, "http://a.org/1.png") is None
    path.write_bytes(compressed(RECORDS))
    images = WarcImages([path], max_bytes=4)
    assert images.find(PAGE, "http://a.org/1.png") is None
    images = WarcImages([path])
    assert len(images.index) == 5
    path.write_bytes(compressed(RECORDS[:1]))
    assert images.find(PAGE, "http://a.org/1.png") is None
    path.unlink()
    assert images.find(PAGE, "http://a.org/1.png") is None
