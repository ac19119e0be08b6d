from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flamingo.data.collection.images.downloaded import DownloadedImages
from flamingo.foundation.errors import DataError
from tests.data.collection.archives_for_tests import write_tar

PAGE = "http://a.org/"
NUM = 7


def _url(number: int) -> str:
    return f"http://a.org/{number}.png?size=large"


def _table(folder: Path, shard: int, **more: object) -> None:
    """What was tried; number 3 of each shard could not be had."""
    keys = [f"{shard:05d}{number:04d}" for number in range(NUM)]
    urls = [_url(10 * shard + number) for number in range(NUM)]
    status = ["failed_to_download" if number == 3 else "success" for number in range(NUM)]
    table = pa.table({"url": urls, "key": keys, "status": status, **more})
    pq.write_table(table, folder / f"{shard:05d}.parquet", row_group_size=2)


def _members(shard: int, has_json: bool) -> dict[str, bytes]:
    members = {}
    for number in range(NUM):
        if number != 3:
            key = f"{shard:05d}{number:04d}"
            members[f"{key}.jpg"] = b"image %d" % (10 * shard + number)
            members[f"{key}.txt"] = b"a caption"
            if has_json:
                fields = {"key": key, "url": _url(10 * shard + number)}
                members[f"{key}.json"] = json.dumps(fields).encode()
    return members


def _as_tar(folder: Path, shard: int, has_table: bool) -> None:
    write_tar(folder / f"{shard:05d}.tar", _members(shard, has_json=not has_table))


def _as_files(folder: Path, shard: int, has_table: bool) -> None:
    (folder / f"{shard:05d}").mkdir()
    for name, content in _members(shard, has_json=not has_table).items():
        (folder / f"{shard:05d}" / name).write_bytes(content)


@pytest.mark.parametrize("write", [_as_tar, _as_files])
@pytest.mark.parametrize("has_table", [True, False])
def test_what_was_downloaded_is_found(tmp_path: Path, write: object, has_table: bool) -> None:
    assert callable(write)
    folder = tmp_path / "images"
    folder.mkdir()
    for shard in range(2):
        if has_table:
            _table(folder, shard)
        write(folder, shard, has_table)
    _check(DownloadedImages(folder, tmp_path / "work"))


def test_images_in_parquet_are_found(tmp_path: Path) -> None:
    for shard in range(2):
        images = [None if n == 3 else b"image %d" % (10 * shard + n) for n in range(NUM)]
        _table(tmp_path, shard, jpg=images)
    _check(DownloadedImages(tmp_path))


def _check(images: DownloadedImages) -> None:
    images = pickle.loads(pickle.dumps(images))
    for shard in range(2):
        for number in range(NUM):
            expected = None if number == 3 else b"image %d" % (10 * shard + number)
            assert images.find(PAGE, _url(10 * shard + number)) == expected
    assert images.find(PAGE, "http://a.org/0.png") is None
    assert images.skipped == ()


def test_the_index_is_kept_until_a_shard_changes(tmp_path: Path) -> None:
    folder, work = tmp_path / "images", tmp_path / "work"
    folder.mkdir()
    _as_tar(folder, 0, False)
    assert DownloadedImages(folder, work).find(PAGE, _url(1)) == b"image 1"
    (kept,) = work.iterdir()
    moment = kept.stat().st_mtime_ns
    assert DownloadedImages(folder, work).find(PAGE, _url(1)) == b"image 1"
    assert kept.stat().st_mtime_ns == moment
    _as_tar(folder, 1, False)
    assert DownloadedImages(folder, work).find(PAGE, _url(11)) == b"image 11"


def test_damaged_shards_are_told_and_others_used(tmp_path: Path) -> None:
    for shard in range(3):
        _table(tmp_path, shard)
        _as_tar(tmp_path, shard, True)
    (tmp_path / "00000.parquet").write_bytes(b"no table")
    (tmp_path / "00001.tar").write_bytes(b"no tar")
    images = DownloadedImages(tmp_path, tmp_path.parent / "work")
    assert images.find(PAGE, _url(21)) == b"image 21"
    assert [skipped.sample[-5:] for skipped in images.skipped] == ["00000", "00001"]
    shutil.rmtree(tmp_path)
    assert images.find(PAGE, _url(21)) is None


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    _as_files(folder, 0, False)
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "00000" / "000000001.jpg").unlink()
    (folder / "00000" / "000000001.jpg").symlink_to(tmp_path / "secret")
    assert DownloadedImages(folder).find(PAGE, _url(1)) is None


def test_a_large_image_is_not_read(tmp_path: Path) -> None:
    _as_tar(tmp_path, 0, False)
    assert DownloadedImages(tmp_path, max_bytes=6).find(PAGE, _url(1)) is None


def test_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        DownloadedImages(tmp_path / "none")
