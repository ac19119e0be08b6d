from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path

import fsspec
import pytest

from flamingo.data.datasets.raw_samples import BrokenSample
from flamingo.data.datasets.shards import ShardedSamples
from flamingo.foundation.errors import DataError

from .datasets_for_tests import as_json, pair_members, tar_bytes, write_tar


def shards(folder: Path, num_shards: int = 3, size: int = 4) -> list[str]:
    return [
        str(write_tar(folder / f"{n}.tar", pair_members(n * size, (n + 1) * size)))
        for n in range(num_shards)
    ]


def texts(samples: ShardedSamples) -> list[bytes]:
    return [samples[number].read("txt") for number in range(len(samples))]


EXPECTED = [f"cat {number}".encode() for number in range(12)]


def test_samples_of_tars_by_number(tmp_path: Path) -> None:
    samples = ShardedSamples(shards(tmp_path))
    assert len(samples) == 12
    assert texts(samples) == EXPECTED
    assert samples[5].where == f"{tmp_path}/1.tar: 0005"
    assert samples[5].names == ("png", "txt")
    assert samples.missing == ()


def test_the_same_from_a_remote_store(tmp_path: Path) -> None:
    files = fsspec.filesystem("memory")
    for number, path in enumerate(shards(tmp_path)):
        files.pipe(f"/shards/{number}.tar", Path(path).read_bytes())
    samples = ShardedSamples([f"memory://shards/{number}.tar" for number in range(3)])
    assert texts(samples) == EXPECTED
    assert samples.fingerprint == ShardedSamples(shards(tmp_path)).fingerprint


def test_any_way_to_name_a_member(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"x/page.0.JPG": b"0", "x/page.json": b"{}"})
    sample = ShardedSamples([str(path)])[0]
    for name in ("0.jpg", "0.JPG", "page.0.jpg", "x/page.0.JPG"):
        assert sample.read(name) == b"0"
    with pytest.raises(BrokenSample, match=r"no member 1\.jpg, only 0\.jpg, json"):
        sample.read("1.jpg")


def test_they_can_be_taken_to_other_processes(tmp_path: Path) -> None:
    samples = pickle.loads(pickle.dumps(ShardedSamples(shards(tmp_path))))
    assert texts(samples) == EXPECTED
    assert pickle.loads(pickle.dumps(samples[3])).read("txt") == b"cat 3"


def test_the_fingerprint_follows_names_and_numbers_but_not_the_place(tmp_path: Path) -> None:
    first = ShardedSamples(shards(tmp_path / "a")).fingerprint
    assert first == ShardedSamples(shards(tmp_path / "b")).fingerprint
    assert first != ShardedSamples(shards(tmp_path / "c", size=5)).fingerprint
    assert first != ShardedSamples(shards(tmp_path / "a")[::-1]).fingerprint


def test_lines_of_json(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"picture")
    path = tmp_path / "a.jsonl"
    path.write_bytes(as_json(image="pictures/a.png") + b"\n\n" + as_json(text="ü"))
    samples = ShardedSamples([str(path)])
    assert [samples[n].where for n in range(3)] == [f"{path}, line {n}" for n in (1, 2, 3)]
    assert samples[0].names == ("json",)
    assert samples[0].read("pictures/a.png") == b"picture"
    assert samples[0].read(str(tmp_path / "pictures" / "a.png")) == b"picture"
    assert samples[1].read("json").strip() == b""
    for name, reason in {
        "b.png": r"no file b\.png",
        "https://example.org/a.png": "is an address; give a path relative to",
        "pictures": "not a regular file",
        "a\0b": "cannot be read",
    }.items():
        with pytest.raises(BrokenSample, match=reason):
            samples[0].read(name)


def test_missing_shards_are_an_error_that_names_them(tmp_path: Path) -> None:
    paths = shards(tmp_path)
    Path(paths[0]).unlink()
    Path(paths[2]).write_bytes(b"no tar")
    with pytest.raises(DataError, match="2 shards cannot be used") as caught:
        ShardedSamples(paths, missing_shards=1)
    assert f"{paths[0]}: it is gone" in str(caught.value)
    assert f"{paths[2]}: it is no tar" in str(caught.value)


def test_missing_shards_may_be_allowed_for(tmp_path: Path) -> None:
    paths = shards(tmp_path)
    Path(paths[1]).unlink()
    samples = ShardedSamples(paths, missing_shards=1)
    assert samples.missing == (paths[1],)
    assert texts(samples) == EXPECTED[:4] + EXPECTED[8:]


def test_a_compressed_shard_is_an_error_even_so(tmp_path: Path) -> None:
    paths = shards(tmp_path)
    Path(paths[1]).write_bytes(b"\x1f\x8b" + b"0" * 99)
    with pytest.raises(DataError, match=r"1\.tar: it is compressed with gzip"):
        ShardedSamples(paths, missing_shards=3)


def test_shards_without_samples(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {})
    with pytest.raises(DataError, match=r"there is no sample in .*a\.tar"):
        ShardedSamples([str(path)])


@pytest.mark.parametrize("what", ["gone", "shrunk"])
@pytest.mark.parametrize("is_allowed", [False, True])
def test_a_shard_that_vanishes_while_running(tmp_path: Path, what: str, is_allowed: bool) -> None:
    paths = shards(tmp_path)
    samples = ShardedSamples(paths, missing_shards=int(is_allowed))
    content = Path(paths[1]).read_bytes()
    if what == "gone":
        Path(paths[1]).unlink()
    else:
        Path(paths[1]).write_bytes(content[:1500])
    expected = BrokenSample if is_allowed else DataError
    with pytest.raises(expected, match="it is gone" if what == "gone" else "it ends before byte"):
        samples[7]
    assert samples.missing == (paths[1],)
    assert samples[0].read("txt") == b"cat 0"
    if is_allowed:
        Path(paths[2]).unlink()
        with pytest.raises(DataError, match="2 shards cannot be used") as caught:
            samples[8]
        assert not isinstance(caught.value, BrokenSample)


def test_a_remote_store_that_refuses_what_is_behind_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = fsspec.filesystem("memory")
    content = Path(shards(tmp_path, 1)[0]).read_bytes()
    files.pipe("/refusing/0.tar", content)
    samples = ShardedSamples(["memory://refusing/0.tar"], missing_shards=1)

    def refuse(self: object, path: str, start: int, end: int) -> bytes:
        raise ValueError("416 Range Not Satisfiable")

    monkeypatch.setattr(type(files), "cat_file", refuse)
    with pytest.raises(DataError, match="cannot be reached") as caught:
        samples[3]
    assert not isinstance(caught.value, BrokenSample)
    files.pipe("/refusing/0.tar", content[:1500])
    with pytest.raises(BrokenSample, match="it ends before byte"):
        samples[3]
    files.rm("/refusing/0.tar")
    with pytest.raises(BrokenSample, match="it is gone"):
        samples[3]


def test_a_shard_with_another_content_is_noticed(tmp_path: Path) -> None:
    paths = shards(tmp_path, 1)
    samples = ShardedSamples(paths)
    Path(paths[0]).write_bytes(b"x" * len(Path(paths[0]).read_bytes()))
    with pytest.raises(BrokenSample, match="has changed since it was indexed") as caught:
        samples[2]
    assert "0.tar: the sample at byte" in caught.value.where


def test_faults_of_the_shard_come_up_with_their_sample(tmp_path: Path) -> None:
    members = [("a.txt", b"A"), ("a.txt", b"again"), ("b.txt", b"B"), ("a.jpg", b"again")]
    content = tar_bytes([*members, ("c.txt", b"C" * 2000)])
    (tmp_path / "a.tar").write_bytes(content[: content.index(b"CCC") + 9])
    samples = ShardedSamples([str(tmp_path / "a.tar")])
    assert samples[1].read("txt") == b"B"
    for number, key, reason in (
        (0, "a", "it has two members txt"),
        (2, "a", "its key stands earlier"),
        (3, "c", r"in the middle of c\.txt"),
    ):
        with pytest.raises(BrokenSample, match=reason) as caught:
            samples[number]
        assert caught.value.where == f"{tmp_path}/a.tar: {key}"


def test_links_are_named(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        link = tarfile.TarInfo("a.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
        folder = tarfile.TarInfo("b.c")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    (tmp_path / "a.tar").write_bytes(buffer.getvalue())
    samples = ShardedSamples([str(tmp_path / "a.tar")])
    assert len(samples) == 1
    with pytest.raises(BrokenSample, match=r"a\.jpg is a link"):
        samples[0]


def test_names_that_are_no_text_can_be_reported(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"\udcff.txt": b"A"})
    assert ShardedSamples([str(path)])[0].where.encode().endswith(b": \\udcff")
