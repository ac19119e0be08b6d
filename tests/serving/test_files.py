from __future__ import annotations

import re

import pytest

from flamingo.serving.errors import Busy, TooLarge, Unknown
from flamingo.serving.files import UploadedFiles
from flamingo.serving.limits import Limits


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_file_comes_back_to_its_owner_alone() -> None:
    files = UploadedFiles(Limits())
    file = files.create("ada", "a.png", "vision", b"content")
    assert re.fullmatch(r"file-[0-9a-f]{32}", file.id)
    assert files.get("ada", file.id) is file
    assert files.list("ada") == [file]
    assert files.list("bob") == []
    for owner, number in (("bob", file.id), ("", file.id), ("ada", "file-0"), ("ada", "\ud800")):
        with pytest.raises(Unknown):
            files.get(owner, number)
        with pytest.raises(Unknown):
            files.delete(owner, number)
    files.delete("ada", file.id)
    with pytest.raises(Unknown):
        files.get("ada", file.id)


def test_ids_differ_for_the_same_content() -> None:
    files = UploadedFiles(Limits())
    numbers = {files.create("ada", "a", "vision", b"same").id for _ in range(100)}
    assert len(numbers) == 100


def test_files_end_after_a_while() -> None:
    clock = Clock()
    files = UploadedFiles(Limits(uploads=2), seconds=60, clock=clock)
    old = files.create("ada", "a", "vision", b"1")
    clock.now += 30
    new = files.create("ada", "b", "vision", b"2")
    assert files.list("ada") == [new, old]
    with pytest.raises(Busy, match="holds 2 files of 2 bytes") as caught:
        files.create("bob", "c", "vision", b"3")
    assert caught.value.retry_after == 30
    clock.now += 30
    assert files.list("ada") == [new]
    with pytest.raises(Unknown, match="kept for 60 s"):
        files.get("ada", old.id)
    assert files.create("bob", "c", "vision", b"3")


def test_bytes_are_bounded() -> None:
    files = UploadedFiles(Limits(visual_bytes=10, upload_bytes=15))
    with pytest.raises(TooLarge, match="11 bytes, more than the limit of 10"):
        files.create("ada", "a", "vision", bytes(11))
    first = files.create("ada", "a", "vision", bytes(10))
    with pytest.raises(Busy):
        files.create("ada", "b", "vision", bytes(6))
    files.create("ada", "b", "vision", bytes(5))
    files.delete("ada", first.id)
    files.create("ada", "c", "vision", bytes(10))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.png", "a.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\a\\b.png", "b.png"),
        ("", "file"),
        ("a/", "file"),
        ("a\0\n\ud800b", "ab"),
        ("x" * 300 + ".png", "x" * 251 + ".png"),
    ],
)
def test_names_are_only_shown(given: str, kept: str) -> None:
    assert UploadedFiles(Limits()).create("ada", given, "vision", b"1").filename == kept
