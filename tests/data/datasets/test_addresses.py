from __future__ import annotations

import os
from pathlib import Path

import fsspec
import pytest

from flamingo.data.datasets import addresses
from flamingo.foundation.errors import ConfigError, DataError

expanded = addresses.expanded


@pytest.fixture
def memory() -> str:
    """A folder of fsspec's file system in memory."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pipe("/data/a.tar", b"0123456789")
    files.pipe("/data/b.tar", b"")
    files.pipe("/data/deep/c.txt", b"c")
    files.pipe("/data/.hidden/d.txt", b"d")
    return "memory://data"


def test_braces() -> None:
    assert expanded("a/{08..11}.tar") == ["a/08.tar", "a/09.tar", "a/10.tar", "a/11.tar"]
    assert expanded("{9..11}") == ["9", "10", "11"]
    assert expanded("{000..001}/{a,b}.tar") == [
        "000/a.tar",
        "000/b.tar",
        "001/a.tar",
        "001/b.tar",
    ]
    assert expanded("s3://bucket/{0..1}.tar") == ["s3://bucket/0.tar", "s3://bucket/1.tar"]
    assert expanded("{single}.tar") == ["{single}.tar"]
    assert len(expanded("{00000..99999}")) == 100_000


@pytest.mark.parametrize("pattern", ["{3..1}", "{0..99999999}", "{0..9999}{0..9999}"])
def test_impossible_braces(pattern: str) -> None:
    with pytest.raises(ConfigError, match=r"runs downwards|stands for"):
        expanded(pattern)


def test_globs_are_sorted_and_names_with_brackets_are_names(tmp_path: Path) -> None:
    for name in ("b.tar", "a.tar", "c.txt", "x[1].tar", "x1.tar"):
        (tmp_path / name).touch()
    assert expanded(f"{tmp_path}/?.tar") == [str(tmp_path / "a.tar"), str(tmp_path / "b.tar")]
    assert expanded(f"{tmp_path}/x[1].tar") == [str(tmp_path / "x[1].tar")]
    assert expanded(f"file://{tmp_path}/a.tar") == [str(tmp_path / "a.tar")]
    assert expanded(f"{tmp_path}/none*") == []


def test_remote_globs(memory: str) -> None:
    found = expanded(f"{memory}/*.tar")
    assert [address.rpartition("/")[2] for address in found] == ["a.tar", "b.tar"]
    assert addresses.read_file(found[0]) == b"0123456789"


def test_ranges_of_both_kinds(memory: str, tmp_path: Path) -> None:
    local = tmp_path / "a.tar"
    local.write_bytes(b"0123456789")
    for address in (str(local), f"{memory}/a.tar"):
        assert addresses.read_range(address, 2, 5) == b"234"
        assert addresses.read_range(address, 8, 99) == b"89"
        assert addresses.read_range(address, 4, 4) == b""
        assert addresses.read_file(address) == b"0123456789"
        assert addresses.file_state(address).num_bytes == 10
        with addresses.opened(address) as file:
            assert file.read() == b"0123456789"


def test_the_version_changes_with_the_file(memory: str, tmp_path: Path) -> None:
    local = tmp_path / "a"
    local.write_bytes(b"1")
    before = addresses.file_state(str(local)), addresses.file_state(f"{memory}/a.tar")
    assert before[0] == addresses.file_state(str(local))
    os.utime(local, ns=(1, 1))
    fsspec.filesystem("memory").pipe("/data/a.tar", b"9876543210")
    assert before[0].version != addresses.file_state(str(local)).version
    assert before[1].version != addresses.file_state(f"{memory}/a.tar").version


def test_what_is_not_there(memory: str, tmp_path: Path) -> None:
    for address in (f"{tmp_path}/none", f"{memory}/none"):
        for read in (addresses.file_state, addresses.read_file):
            with pytest.raises(FileNotFoundError):
                read(address)
    with pytest.raises(DataError, match="not a regular file"):
        addresses.file_state(str(tmp_path))


def test_files_below(memory: str, tmp_path: Path) -> None:
    assert addresses.files_below(memory) == ["a.tar", "b.tar", "deep/c.txt"]
    (tmp_path / "deep").mkdir()
    for name in ("b", "a", "deep/c", ".hidden"):
        (tmp_path / name).touch()
    assert addresses.files_below(str(tmp_path)) == ["a", "b", "deep/c"]
    assert addresses.is_folder(memory)
    assert addresses.is_folder(str(tmp_path))
    assert not addresses.is_folder(f"{memory}/a.tar")


def test_beside() -> None:
    assert addresses.beside("s3://bucket/a/b.jsonl", "c/d.jpg") == "s3://bucket/a/c/d.jpg"
    assert addresses.beside("b.jsonl", "d.jpg") == "d.jpg"
    assert addresses.beside("a/b.jsonl", "/c/d.jpg") == "/c/d.jpg"


def test_an_unknown_kind_of_address_is_an_error_at_once() -> None:
    with pytest.raises(DataError, match=r"nowhere://a\.tar cannot be reached"):
        addresses.file_state("nowhere://a.tar")


def test_a_remote_store_is_asked_again(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_RETRY_AFTER", (0.0, 0.0))
    kind = type(fsspec.filesystem("memory"))
    real, failures = kind.cat_file, [TimeoutError("late"), OSError("busy")]

    def flaky(self: object, *args: object, **kwargs: object) -> bytes:
        if failures:
            raise failures.pop()
        return real(self, *args, **kwargs)

    monkeypatch.setattr(kind, "cat_file", flaky)
    assert addresses.read_range(f"{memory}/a.tar", 0, 3) == b"012"
    failures += [OSError("down")] * 3
    with pytest.raises(DataError, match="cannot be reached: OSError: down"):
        addresses.read_range(f"{memory}/a.tar", 0, 3)
