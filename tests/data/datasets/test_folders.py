from __future__ import annotations

import pickle
from pathlib import Path

import fsspec
import pytest

from flamingo.data.datasets.folders import FolderSamples
from flamingo.data.datasets.raw_samples import BrokenSample
from flamingo.foundation.errors import DataError

FILES = {
    "b.txt": b"B",
    "a.1.JPG": b"1",
    "a.1.txt": b"A",
    "deep/c.jpg": b"3",
    "deep/c.json": b"{}",
    "notes.md": b"?",
    ".hidden.txt": b"?",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "data"


def test_files_of_one_name_are_a_sample_in_the_order_of_names(folder: Path) -> None:
    samples = FolderSamples(f"{folder}/", endings=("txt", "json", "jpg"))
    assert [samples[n].where for n in range(len(samples))] == [
        f"{folder}/a.1",
        f"{folder}/b",
        f"{folder}/deep/c",
    ]
    assert [sorted(samples[n].names) for n in range(3)] == [
        ["jpg", "txt"],
        ["txt"],
        ["jpg", "json"],
    ]
    assert samples[0].read("jpg") == b"1"
    assert samples[2].read("json") == b"{}"
    assert pickle.loads(pickle.dumps(samples))[0].read("txt") == b"A"
    assert samples.missing == ()


def test_only_the_given_endings_make_samples(folder: Path) -> None:
    samples = FolderSamples(str(folder), endings=("json",))
    assert len(samples) == 1


def test_a_sample_may_name_files_beside_it(folder: Path) -> None:
    (folder / "deep" / "c.0.jpg").write_bytes(b"unpacked")
    (folder / "deep" / "more").mkdir()
    (folder / "deep" / "more" / "d.jpg").write_bytes(b"deeper")
    sample = FolderSamples(str(folder), endings=("json",))[0]
    for name, content in {
        "c.jpg": b"3",
        "more/d.jpg": b"deeper",
        "0.jpg": b"unpacked",
        "c.0.jpg": b"unpacked",
        "../b.txt": b"B",
    }.items():
        assert sample.read(name) == content
    with pytest.raises(BrokenSample, match=r"there is no file 1\.jpg"):
        sample.read("1.jpg")


def test_a_file_that_vanishes_is_a_broken_sample(folder: Path) -> None:
    samples = FolderSamples(str(folder), endings=("txt",))
    (folder / "b.txt").unlink()
    with pytest.raises(BrokenSample, match=r"there is no file b\.txt"):
        samples[1].read("txt")


def test_two_files_of_one_kind(folder: Path) -> None:
    (folder / "b.TXT").write_bytes(b"again")
    samples = FolderSamples(str(folder), endings=("txt",))
    with pytest.raises(BrokenSample, match="two files of one kind: TXT, txt") as caught:
        samples[1]
    assert caught.value.where == f"{folder}/b"


def test_a_remote_folder(folder: Path) -> None:
    files = fsspec.filesystem("memory")
    for name, content in FILES.items():
        files.pipe(f"/folders/{name}", content)
    local = FolderSamples(str(folder), endings=("txt", "jpg"))
    remote = FolderSamples("memory://folders", endings=("txt", "jpg"))
    assert remote.fingerprint == local.fingerprint
    assert [remote[n].read("txt") for n in range(2)] == [b"A", b"B"]


def test_the_fingerprint_follows_the_names(folder: Path) -> None:
    before = FolderSamples(str(folder), endings=("txt",)).fingerprint
    (folder / "d.txt").touch()
    assert before != FolderSamples(str(folder), endings=("txt",)).fingerprint


def test_a_folder_without_samples_says_what_it_has(folder: Path) -> None:
    with pytest.raises(DataError, match=r"no file that ends in mp4\.\n.*jpg, json, md, txt"):
        FolderSamples(str(folder), endings=("mp4",))
