from __future__ import annotations

import json
import os
from pathlib import Path

import fsspec
import numpy as np
import pytest

from flamingo.data.datasets import layouts
from flamingo.data.datasets.layouts import layout_of, layout_text
from flamingo.data.datasets.scanning import UnusableShard, scan_tar

from .datasets_for_tests import tar_bytes, write_tar

MEMBERS = {"a.txt": b"A", "b.txt": b"B", "a.jpg": b"again"}


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the scans of tars."""
    sizes: list[int] = []

    def counted(file, num_bytes: int):
        sizes.append(num_bytes)
        return scan_tar(file, num_bytes)

    monkeypatch.setitem(layouts.SCANS, ".tar", counted)
    return sizes


def test_a_shard_is_scanned_once(tmp_path: Path, cache: Path, scans: list[int]) -> None:
    address = str(write_tar(tmp_path / "a.tar", MEMBERS))
    first = layout_of(address)
    assert len(list((cache / "indexes").iterdir())) == 1
    again = layout_of(address)
    assert len(scans) == 1
    assert np.array_equal(first.starts, again.starts)
    assert first.faults == again.faults
    assert list(first.faults) == [2]


def test_a_changed_shard_is_scanned_again(tmp_path: Path, scans: list[int]) -> None:
    path = write_tar(tmp_path / "a.tar", MEMBERS)
    layout_of(str(path))
    os.utime(path, ns=(1, 1))
    layout_of(str(path))
    write_tar(path, {**MEMBERS, "c.txt": b"C" * 20_000})
    assert len(layout_of(str(path))) == 4
    assert len(scans) == 3


def test_the_layout_beside_a_shard_is_used_where_it_fits(tmp_path: Path, scans: list[int]) -> None:
    path = write_tar(tmp_path / "a.tar", MEMBERS)
    beside = Path(f"{path}.index.json")
    beside.write_text(layout_text(layout_of(str(path))))
    os.utime(path, ns=(1, 1))
    layout_of(str(path))
    assert len(scans) == 1
    write_tar(path, {**MEMBERS, "c.txt": b"C" * 20_000})
    assert len(layout_of(str(path))) == 4
    assert len(scans) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"starts": [0, 10**9]},
        {"starts": [1024, 0]},
        {"starts": [-1, 0]},
        {"starts": [[0], [1]]},
        {"starts": "none"},
        {"starts": [0, 10**30]},
        {"faults": {"x": 1}},
        {"faults": []},
        {"bytes": None},
    ],
)
def test_a_damaged_layout_is_not_used(tmp_path: Path, scans: list[int], change: dict) -> None:
    path = write_tar(tmp_path / "a.tar", MEMBERS)
    beside = Path(f"{path}.index.json")
    plain = json.loads(layout_text(layout_of(str(path))))
    os.utime(path, ns=(1, 1))
    beside.write_text(json.dumps({**plain, **change}))
    assert len(layout_of(str(path))) == 3
    assert len(scans) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"null"])
def test_nor_is_any_other_file(tmp_path: Path, scans: list[int], content: bytes) -> None:
    path = write_tar(tmp_path / "a.tar", MEMBERS)
    Path(f"{path}.index.json").write_bytes(content)
    assert len(layout_of(str(path))) == 3
    assert len(scans) == 1


def test_a_cache_that_cannot_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scans: list[int]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FLAMINGO_CACHE", str(tmp_path / "file"))
    path = str(write_tar(tmp_path / "a.tar", MEMBERS))
    assert len(layout_of(path)) == len(layout_of(path)) == 3
    assert len(scans) == 2


def test_names_that_are_no_text_can_be_kept(tmp_path: Path, scans: list[int]) -> None:
    content = tar_bytes(
        [("\udcff.txt", b"A"), ("b.txt", b"B"), ("\udcff.jpg", b"again"), ("c.txt", b"C")]
    )
    (tmp_path / "a.tar").write_bytes(content)
    faults = [layout_of(str(tmp_path / "a.tar")).faults for _ in range(2)]
    assert faults[0] == faults[1]
    assert list(faults[0]) == [2]
    assert len(scans) == 1


def test_remote_shards_are_scanned_once_as_well(scans: list[int]) -> None:
    files = fsspec.filesystem("memory")
    files.pipe("/layouts/a.tar", tar_bytes(MEMBERS))
    for _ in range(2):
        assert len(layout_of("memory://layouts/a.tar")) == 3
    assert len(scans) == 1
    files.pipe("/layouts/a.tar", tar_bytes({"a.txt": b"A"}))
    assert len(layout_of("memory://layouts/a.tar")) == 1


def test_what_is_gone_or_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnusableShard, match="it is gone"):
        layout_of(str(tmp_path / "a.tar"))
    (tmp_path / "file").touch()
    with pytest.raises(UnusableShard, match="it cannot be read"):
        layout_of(str(tmp_path / "file" / "a.tar"))
