from __future__ import annotations

from pathlib import Path

import pytest

from flamingo.data.datasets import open_store
from flamingo.data.datasets.folders import FolderSamples
from flamingo.data.datasets.shards import ShardedSamples
from flamingo.foundation.errors import DataError

from .datasets_for_tests import pair_members, write_tar

ENDINGS = ("txt", "png")


def test_each_kind_of_path(tmp_path: Path) -> None:
    for number in range(2):
        write_tar(tmp_path / f"{number}.tar", pair_members(number * 3, number * 3 + 3))
    (tmp_path / "a.jsonl").write_bytes(b"{}\n{}\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").touch()
    for path, kind, size in (
        ("{0..1}.tar", ShardedSamples, 6),
        ("*.tar", ShardedSamples, 6),
        ("0.tar", ShardedSamples, 3),
        ("a.jsonl", ShardedSamples, 2),
        ("folder", FolderSamples, 1),
    ):
        store = open_store(f"{tmp_path}/{path}", endings=ENDINGS)
        assert isinstance(store, kind)
        assert len(store) == size


def test_braces_notice_a_missing_shard(tmp_path: Path) -> None:
    write_tar(tmp_path / "0.tar", pair_members(0, 3))
    with pytest.raises(DataError, match=r"1\.tar: it is gone"):
        open_store(f"{tmp_path}/{{0..1}}.tar", endings=ENDINGS)
    store = open_store(f"{tmp_path}/{{0..1}}.tar", endings=ENDINGS, missing_shards=1)
    assert store.missing == (f"{tmp_path}/1.tar",)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("none/*.tar", "nothing fits the pattern"),
        ("none", "there is no folder"),
        ("a.tar.gz", r"a\.tar\.gz is compressed\.\n.*gunzip"),
        ("{a,b}.tgz", r"a\.tgz is compressed"),
        ("{0..1}", "which is no shard"),
        ("folder", r"no file that ends in png, txt\.\n.*folder/\*\.tar"),
    ],
)
def test_what_cannot_be_opened(tmp_path: Path, path: str, reason: str) -> None:
    write_tar(tmp_path / "folder" / "0.tar", {})
    with pytest.raises(DataError, match=reason):
        open_store(f"{tmp_path}/{path}", endings=ENDINGS)
