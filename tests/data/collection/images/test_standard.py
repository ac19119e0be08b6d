from __future__ import annotations

import pickle
from pathlib import Path

from flamingo.data.collection.images import DataUrls, FolderImages, images_of
from flamingo.data.collection.sources import open_source
from tests.data.collection.archives_for_tests import write_zip
from tests.data.collection.warcs_for_tests import page


def test_each_source_has_its_own_images(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.html").write_text("<img src=x.png>")
        (tmp_path / name / "x.png").write_bytes(name.encode())
    write_zip(tmp_path / "x.zip", {"page.html": b"<p>", "x.png": b"zip"})
    records = page("http://a.org/", b"<p>") + page("http://a.org/x.png", b"warc", "image/png")
    (tmp_path / "x.warc").write_bytes(records)
    source = open_source([tmp_path / name for name in ("one", "two", "x.zip", "x.warc")])
    found = []
    for piece in source.pieces(10):
        finder = pickle.loads(pickle.dumps(images_of(source, piece)))
        assert finder.find("page.html", "data:,inside") == b"inside"
        found.append([finder.find("", name) for name in ("x.png", "http://a.org/x.png")])
    assert found == [[b"one", None], [b"two", None], [b"zip", None], [None, b"warc"]]


def test_further_places_come_last(tmp_path: Path) -> None:
    for name in ("site", "more"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").write_bytes(name.encode())
    (tmp_path / "more" / "y.png").write_bytes(b"y")
    (tmp_path / "site" / "page.html").write_text("<p>")
    source = open_source(tmp_path / "site")
    (piece,) = source.pieces(10)
    finder = images_of(source, piece, [DataUrls(), FolderImages(tmp_path / "more")])
    assert finder.find("", "x.png") == b"site"
    assert finder.find("", "y.png") == b"y"
