from __future__ import annotations

import base64
import pickle
from pathlib import Path

import pytest

from flamingo.data.collection.images import ArchiveImages, DataUrls, FirstOf, FolderImages
from tests.data.collection.archives_for_tests import write_tar, write_zip

PAGE = "en/page.html"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.png").write_bytes(b"secret")
    root = tmp_path / "root"
    for name in ("en/images/a b.png", "en/images/v.png?x=1", "host.org/img/c.png", "%41.png"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (root / "out.png").symlink_to(tmp_path / "secret.png")
    return root


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("en/images/a b.png", "en/images/a b.png"),
        ("en/images/a%20b.png", "en/images/a b.png"),
        ("en/images/a%20b.png?v=3#top", "en/images/a b.png"),
        ("/en/images/a b.png", "en/images/a b.png"),
        ("en\\images\\a b.png", "en/images/a b.png"),
        ("en/images/v.png?x=1", "en/images/v.png?x=1"),
        ("%41.png", "%41.png"),
        ("http://host.org/img/c.png?x", "host.org/img/c.png"),
        ("HTTPS://HOST.org:443/img/%63.png", "host.org/img/c.png"),
    ],
)
def test_files_are_found_by_what_pages_call_them(folder: Path, address: str, name: str) -> None:
    assert FolderImages(folder).find(PAGE, address) == name.encode()


@pytest.mark.parametrize(
    "address",
    [
        "../secret.png",
        "en/../../secret.png",
        "%2e%2e/secret.png",
        "..%2fsecret.png",
        "..\\secret.png",
        "%252e%252e/secret.png",
        "out.png",
        "/etc/passwd",
        "file:///etc/passwd",
        "http://../secret.png",
        "http://host.org/../../secret.png",
        "http://host.org/%2e%2e/%2e%2e/secret.png",
        "http://[bad/secret.png",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "en",
        "",
        "a\0.png",
    ],
)
def test_nothing_else_is_found(folder: Path, address: str) -> None:
    assert FolderImages(folder).find(PAGE, address) is None


def test_a_large_file_is_not_read(folder: Path) -> None:
    assert FolderImages(folder, max_bytes=3).find(PAGE, "en/images/a b.png") is None


@pytest.mark.parametrize(
    ("address", "content"),
    [
        ("data:image/png;base64,cGljdHVyZQ==", b"picture"),
        ("DATA:image/png;BASE64,cGljdHVyZQ", b"picture"),
        ("data:;base64,cGlj%20dHVy\n ZQ%3D%3D", b"picture"),
        ("data:image/svg+xml,%3Csvg%3E", b"<svg>"),
        ("data:image/png;base64,c", None),
        ("data:image/png;base64,", None),
        ("data:image/png", None),
        ("http://a.org/data:,x", None),
        ("data:,\ud800", b"?"),
    ],
)
def test_images_in_pages_are_unpacked(address: str, content: bytes | None) -> None:
    assert DataUrls().find(PAGE, address) == content


def test_images_in_pages_are_bounded() -> None:
    address = "data:;base64," + base64.b64encode(bytes(1000)).decode()
    assert DataUrls(1000).find(PAGE, address) == bytes(1000)
    assert DataUrls(999).find(PAGE, address) is None


def test_places_are_asked_in_order(folder: Path) -> None:
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "%41.png").write_bytes(b"other")
    (folder.parent / "other" / "only.png").write_bytes(b"only")
    both = FirstOf((DataUrls(), FolderImages(folder), FolderImages(folder.parent / "other")))
    assert both.find(PAGE, "%41.png") == b"%41.png"
    assert both.find(PAGE, "only.png") == b"only"
    assert both.find(PAGE, "none.png") is None


@pytest.mark.parametrize(("name", "write"), [("x.tar", write_tar), ("x.zip", write_zip)])
def test_archives_hold_images_too(tmp_path: Path, name: str, write: object) -> None:
    assert callable(write)
    write(tmp_path / name, {"./en/a b.png": b"picture", "../up.png": b"up"})
    finder = pickle.loads(pickle.dumps(ArchiveImages([tmp_path / name])))
    assert finder.find(PAGE, "en/a%20b.png?x") == b"picture"
    assert finder.find(PAGE, "up.png") is None
    assert finder.find(PAGE, "../up.png") is None
    (tmp_path / "no.zip").write_bytes(b"no archive")
    assert ArchiveImages([tmp_path / "no.zip"]).find(PAGE, "a.png") is None
