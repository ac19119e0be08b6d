from __future__ import annotations

import contextlib
import tarfile
from pathlib import Path

import numpy as np
import pytest

from flamingo.data.datasets import ShardWriter, open_store
from flamingo.data.datasets.layouts import layout_of
from flamingo.data.datasets.scanning import scan_tar
from flamingo.foundation.errors import ConfigError, DataError

SAMPLES = [
    (f"{'long/' * 30 * (number % 2)}{number:03d}", {"txt": b"%d" % number, "0.jpg": b"x" * number})
    for number in range(10)
]


def write(folder: Path, samples: list, **settings: object) -> ShardWriter:
    with ShardWriter(folder / "data", samples_per_shard=4, **settings) as writer:
        for key, members in samples[writer.num_samples :]:
            writer.write(key, members)
    return writer


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    writer = write(tmp_path / "out", SAMPLES)
    assert (writer.num_samples, writer.num_shards) == (10, 3)
    store = open_store(f"{tmp_path}/out/data-{{000000..000002}}.tar", endings=())
    assert len(store) == 10
    for number, (key, members) in enumerate(SAMPLES):
        assert store[number].where.endswith(f": {key}")
        assert {name: store[number].read(name) for name in store[number].names} == members


def test_shards_are_plain_tars_with_the_layout_that_a_scan_finds(
    tmp_path: Path, cache: Path
) -> None:
    write(tmp_path / "out", SAMPLES)
    path = tmp_path / "out" / "data-000000.tar"
    with tarfile.open(path) as tar:
        names = [member.name for member in tar]
        assert all(member.mtime == member.uid == 0 for member in tar)
    assert names == [f"{key}.{ending}" for key, members in SAMPLES[:4] for ending in members]
    beside = layout_of(str(path))
    assert not cache.exists()
    with path.open("rb") as file:
        scanned = scan_tar(file, path.stat().st_size)
    assert np.array_equal(beside.starts, scanned.starts)
    assert beside.num_bytes == scanned.num_bytes


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "a", SAMPLES)
    write(tmp_path / "b", SAMPLES)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("written", [0, 3, 4, 5, 9])
def test_an_interrupted_writer_goes_on_to_the_same_files(tmp_path: Path, written: int) -> None:
    write(tmp_path / "whole", SAMPLES)

    def interrupted() -> list:
        yield from SAMPLES[:written]
        raise KeyboardInterrupt

    writer = ShardWriter(tmp_path / "parts" / "data", samples_per_shard=4)
    with contextlib.suppress(KeyboardInterrupt), writer:
        for key, members in interrupted():
            writer.write(key, members)
    assert writer.num_samples == written // 4 * 4
    write(tmp_path / "parts", SAMPLES, resume=True)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_a_killed_writer_leaves_whole_shards_alone(tmp_path: Path) -> None:
    writer = ShardWriter(tmp_path / "data", samples_per_shard=4)
    for key, members in SAMPLES[:6]:
        writer.write(key, members)
    assert writer._open is not None
    writer._open.file.flush()
    visible = [name for name in contents(tmp_path) if not name.startswith(".")]
    assert visible == ["data-000000.tar", "data-000000.tar.index.json"]
    write(tmp_path, SAMPLES, resume=True)
    writer._open.file.close()
    assert len(contents(tmp_path)) == 6
    assert not list(tmp_path.glob(".*"))


def test_existing_shards_are_not_written_over(tmp_path: Path) -> None:
    write(tmp_path, SAMPLES)
    with pytest.raises(DataError, match=r"3 shards already, such as .*data-000000\.tar"):
        ShardWriter(tmp_path / "data")
    (tmp_path / "data-000001.tar").unlink()
    with pytest.raises(DataError, match=r"data-000001\.tar is missing"):
        ShardWriter(tmp_path / "data", resume=True)


@pytest.mark.parametrize(
    ("key", "ending"),
    [("a.b", "txt"), ("", "txt"), ("/a", "txt"), ("../a", "txt"), ("a", "TXT"), ("a", "b/c")],
)
def test_names_that_would_not_come_back_are_refused(tmp_path: Path, key: str, ending: str) -> None:
    writer = ShardWriter(tmp_path / "data")
    with pytest.raises(DataError, match="cannot be the name of a member"):
        writer.write(key, {ending: b""})
    with pytest.raises(DataError, match="cannot be the name of a member"):
        writer.write("a", {})


def test_a_key_is_written_once(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "data") as writer:
        writer.write("a", {"txt": b"A"})
        with pytest.raises(DataError, match=r"the key 'a' is in .*data-000000"):
            writer.write("a", {"txt": b"B"})
    assert writer.num_samples == 1


def test_a_shard_holds_something(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="samples_per_shard=0 is impossible"):
        ShardWriter(tmp_path / "data", samples_per_shard=0)
