"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flamingo.foundation.whole_files import write_bytes_whole, written_whole


def test_a_file_and_its_folders_are_made(tmp_path: Path) -> None:
    write_bytes_whole(tmp_path / "a/b/file", b"whole")
    assert (tmp_path / "a/b/file").read_bytes() == b"whole"
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["file"]


def test_what_was_there_stays_until_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with written_whole(path) as unfinished:
        unfinished.write_bytes(b"after")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"


def fail_halfway(path: Path, error: type[BaseException]) -> None:
    with written_whole(path) as unfinished:
        unfinished.write_bytes(b"half")
        raise error


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with pytest.raises(error):
        fail_halfway(path, error)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"before"]


def test_two_who_write_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with written_whole(path) as first, written_whole(path) as second:
        first.write_bytes(b"first")
        second.write_bytes(b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_its_rights_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_bytes_whole(tmp_path / "whole", b"")
    modes = [(tmp_path / name).stat().st_mode for name in ("plain", "whole")]
    assert modes[0] == modes[1]


@pytest.mark.skipif(os.name != "posix", reason="looks at the modes of files")
def test_a_file_can_be_for_its_owner_alone_from_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []

    def fsync(file: int) -> None:
        modes.append(os.fstat(file).st_mode & 0o777)

    monkeypatch.setattr(os, "fsync", fsync)
    write_bytes_whole(tmp_path / "secret", b"key", mode=0o600)
    assert (tmp_path / "secret").read_bytes() == b"key"
    assert [*modes, (tmp_path / "secret").stat().st_mode & 0o777] == [0o600, 0o600]


def test_folders_are_made_unless_their_absence_means_something(tmp_path: Path) -> None:
    write_bytes_whole(tmp_path / "a/b/file", b"text")
    assert (tmp_path / "a/b/file").read_bytes() == b"text"
    with pytest.raises(FileNotFoundError):
        write_bytes_whole(tmp_path / "gone/file", b"text", make_folders=False)
    assert not (tmp_path / "gone").exists()
