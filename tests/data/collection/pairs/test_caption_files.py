"""Captions in JSON lines, Parquet, COCO's JSON, tars, and beside images."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.made_samples import Refused
from flamingo.data.collection.pairs.coco import CocoCaptions
from flamingo.data.collection.pairs.json_lines import LineCaptions
from flamingo.data.collection.pairs.opening import caption_readers
from flamingo.data.collection.pairs.parquet_files import ParquetCaptions
from flamingo.data.collection.pairs.settings import Columns
from flamingo.data.collection.pairs.side_by_side import FolderCaptions
from flamingo.data.collection.pairs.tars import TarCaptions
from flamingo.data.datasets.media import IMAGES
from flamingo.foundation.errors import DataError, FlamingoError
from tests.data.datasets.datasets_for_tests import tar_bytes

from .pairs_for_tests import photo, records_of, whole_records


def lines(folder: Path, *objects: Any) -> LineCaptions:
    text = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in objects)
    (folder / "a.jsonl").write_text(text)
    return LineCaptions(folder, "a.jsonl", Columns())


def test_json_lines(tmp_path: Path) -> None:
    reader = lines(
        tmp_path,
        {"image": "1.jpg", "text": "A dog", "license": "CC0"},
        "",
        {"url": "http://a/2.jpg", "captions": ["A cat", "An animal"]},
        {"image": {"path": "3.jpg"}, "caption": "A cow"},
    )
    for size in (1, 2, 5):
        found = whole_records(reader, size)
        assert [one.number for one in found] == [0, 2, 3]
        assert [one.address for one in found] == ["1.jpg", "http://a/2.jpg", "3.jpg"]
        assert found[1].texts == ("A cat", "An animal")
    assert found[0].fields == {"license": "CC0"}


def test_lines_that_are_wrong_are_named(tmp_path: Path) -> None:
    reader = lines(
        tmp_path, "{", "[1]", {"image": "a"}, {"image": "a", "text": 3}, {"image": 1, "text": "a"}
    )
    found = [one for one in records_of(reader) if isinstance(one, Refused)]
    assert [one.example for one in found] == [f"a.jsonl, line {n}" for n in range(1, 6)]
    assert [one.reason for one in found][1:] == [
        "it is a list, no object",
        "a.jsonl, line 3 has no column that is known to hold the text, only 'image'.",
        "the column text holds no text but a int",
        "the column image is empty",
    ]
    with pytest.raises(DataError, match="is empty"):
        lines(tmp_path).pieces(1)


def test_long_lines_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flamingo.data.collection.pairs.json_lines.MAX_LINE", 100)
    reader = lines(tmp_path, {"image": "a", "text": "x" * 250}, {"image": "b", "text": "A dog"})
    found = records_of(reader)
    assert isinstance(found[0], Refused)
    assert "more than 100 bytes" in found[0].reason
    assert getattr(found[1], "texts", None) == ("A dog",)


def write_parquet(folder: Path, columns: dict[str, Any], group: int = 4) -> ParquetCaptions:
    path = folder / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path, row_group_size=group)
    return ParquetCaptions(folder, "a.parquet", Columns(kept=("width",)))


@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_parquet_as_laion_has_it(tmp_path: Path, size: int) -> None:
    reader = write_parquet(
        tmp_path,
        {
            "URL": [f"http://a/{n}.jpg" for n in range(10)],
            "TEXT": [f"dog {n}" for n in range(10)],
            "WIDTH": list(range(10)),
            "width": [n / 4 for n in range(10)],
            "similarity": [0.25] * 9 + [None],
            "embedding": [[0.0, 1.0]] * 10,
        },
    )
    found = whole_records(reader, size)
    assert [one.number for one in found] == list(range(10))
    assert [one.texts[0] for one in found] == [f"dog {n}" for n in range(10)]
    assert found[1].fields == {"url": "http://a/1.jpg", "similarity": 0.25, "width": 0.25}
    assert found[9].fields == {"url": "http://a/9.jpg", "width": 2.25}
    names = [piece.name for piece in reader.pieces(size)]
    assert len(set(names)) == len(names)


def test_parquet_with_images_in_it(tmp_path: Path) -> None:
    images = [{"bytes": photo(n), "path": f"{n}.png"} for n in range(3)]
    reader = write_parquet(tmp_path, {"image": [*images, None], "captions": [["a", "b"]] * 4})
    found = records_of(reader)
    assert isinstance(found[3], Refused)
    assert [getattr(one, "content", None) for one in found[:3]] == [photo(n) for n in range(3)]
    assert [getattr(one, "address", None) for one in found[:3]] == ["0.png", "1.png", "2.png"]
    plain = write_parquet(tmp_path, {"jpg": [photo(1)], "caption": ["A dog"], "url": ["http://a"]})
    [record] = whole_records(plain)
    assert (record.content, record.address) == (photo(1), "http://a")


def test_damaged_parquet(tmp_path: Path) -> None:
    reader = write_parquet(tmp_path, {"url": [f"a{n}" for n in range(8)], "text": ["a"] * 8})
    pieces = reader.pieces(4)
    path = tmp_path / "a.parquet"
    content = bytearray(path.read_bytes())
    content[4:60] = bytes(56)
    path.write_bytes(content)
    found = list(reader.records(pieces[0]))
    assert isinstance(found[-1], Refused)
    assert "the rest of the piece is damaged" in found[-1].reason
    path.write_bytes(bytes(content[:50]))
    with pytest.raises(DataError, match="no readable Parquet file"):
        reader.pieces(4)


def coco(folder: Path, value: Any) -> CocoCaptions:
    (folder / "captions.json").write_text(value if isinstance(value, str) else json.dumps(value))
    return CocoCaptions(folder, "captions.json", Columns())


def test_coco(tmp_path: Path) -> None:
    reader = coco(
        tmp_path,
        {
            "images": [
                {"id": 7, "file_name": "7.jpg", "license": 1, "coco_url": "http://a/7"},
                {"id": 8, "file_name": "8.jpg"},
                {"id": 9, "file_name": "9.jpg"},
                {"file_name": "x.jpg"},
            ],
            "annotations": [
                {"image_id": 9, "caption": "A cow"},
                {"image_id": 7, "caption": "A dog"},
                {"image_id": 7, "caption": "An animal"},
                {"caption": "of nothing"},
                {"image_id": 8, "bbox": [1, 2, 3, 4]},
                5,
            ],
            "licenses": [{"id": 1, "name": "Attribution", "url": "http://by"}],
        },
    )
    found = records_of(reader, 2)
    assert [getattr(one, "texts", None) for one in found] == [
        ("A dog", "An animal"),
        None,
        ("A cow",),
        None,
    ]
    assert getattr(found[0], "address", None) == "7.jpg"
    assert getattr(found[0], "fields", None) == {"url": "http://a/7", "license": "http://by"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "no JSON"),
        ([1], "no file of COCO's form"),
        ({"images": []}, "no annotation with a caption"),
        ({"images": 3}, "no list `images`"),
    ],
)
def test_other_json_is_no_coco(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        coco(tmp_path, value).pieces(2)


def test_tars_as_img2dataset_writes_them(tmp_path: Path) -> None:
    about = {"caption": "not this", "url": "http://a/0.jpg", "license": "CC0", "status": "success"}
    members = {
        "000.jpg": photo(0, kind="JPEG"),
        "000.json": json.dumps(about).encode(),
        "000.txt": b"A dog",
        "001.webp": photo(1, kind="WEBP"),
        "001.json": b'{"caption": "A cat"}',
        "002.txt": b"no image",
        "003.png": photo(3),
        "004.png": photo(4),
        "004.txt": b"caf\xe9",
    }
    (tmp_path / "0.tar").write_bytes(tar_bytes(members))
    reader = TarCaptions(tmp_path, "0.tar", Columns(), IMAGES)
    found = records_of(reader, 2)
    assert [getattr(one, "texts", None) for one in found] == [
        ("A dog",),
        ("A cat",),
        None,
        None,
        None,
    ]
    assert getattr(found[0], "content", None) == members["000.jpg"]
    assert getattr(found[0], "address", None) == "http://a/0.jpg"
    assert getattr(found[0], "fields", None) == {"url": "http://a/0.jpg", "license": "CC0"}
    assert getattr(found[1], "address", None) == "001"
    assert [one.reason for one in found if isinstance(one, Refused)] == [
        "it has 0 members to look at: txt",
        "it has no text: neither a txt nor a json with fields is beside it",
        "the txt is not UTF-8 at byte 3",
    ]
    (tmp_path / "0.tar").write_bytes(b"no tar")
    with pytest.raises(DataError, match=r"0\.tar: it is no tar"):
        reader.pieces(2)


def test_images_with_captions_beside_them(tmp_path: Path) -> None:
    for name, content in {
        "b/1.PNG": photo(1),
        "b/1.txt": b"\xef\xbb\xbfA dog",
        "a.jpg": photo(0, kind="JPEG"),
        "a.json": b'{"text": "A cat", "url": "http://a"}',
        "alone.png": photo(2),
        "c.png": photo(3),
        "c.json": b"[",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = records_of(FolderCaptions(tmp_path, Columns(), IMAGES), 2)
    assert [getattr(one, "texts", None) for one in found] == [("A cat",), ("A dog",), None]
    assert [getattr(one, "address", None) for one in found] == ["a.jpg", "b/1.PNG", None]


def test_what_a_path_stands_for(tmp_path: Path) -> None:
    def kinds(path: str, **settings: Any) -> list[str]:
        readers = caption_readers(path, Columns(), IMAGES, **settings)
        assert pickle.loads(pickle.dumps(readers)) == readers
        return [f"{type(one).__name__} {one.path}" for one in readers]

    with pytest.raises(DataError, match="holds no captions"):
        kinds(str(tmp_path))
    (tmp_path / "coco.json").write_text("{}")
    assert kinds(str(tmp_path)) == ["CocoCaptions coco.json"]
    for name in ("b.tsv", "a.csv", "c.jsonl", "d/e.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    tables = ["TableCaptions a.csv", "TableCaptions b.tsv", "LineCaptions c.jsonl"]
    assert kinds(str(tmp_path)) == [*tables, "ParquetCaptions d/e.parquet"]
    assert kinds(str(tmp_path), format="coco") == ["CocoCaptions coco.json"]
    (tmp_path / "1.png").write_bytes(photo(1))
    (tmp_path / "1.txt").write_text("A dog")
    assert kinds(str(tmp_path)) == ["FolderCaptions "]
    (tmp_path / "d" / "0.tar").write_bytes(tar_bytes({"a.txt": b"A"}))
    assert kinds(str(tmp_path)) == ["TarCaptions d/0.tar"]
    assert kinds(f"{tmp_path}/{{a,b}}.?sv")[0] == "TableCaptions a.csv"
    assert kinds(f"{tmp_path}/1.txt", format="table") == ["TableCaptions 1.txt"]
    for path, message in [
        ("s3://a/b.csv", "is not on this machine"),
        (f"{tmp_path}/gone.csv", "there is no file"),
        (f"{tmp_path}/*.gone", "nothing fits the pattern"),
        (f"{tmp_path}/1.txt", "no captions that are known here"),
    ]:
        with pytest.raises(DataError, match=message):
            kinds(path)
    (tmp_path / "a.csv.gz").write_bytes(b"")
    with pytest.raises(DataError, match="is compressed"):
        kinds(f"{tmp_path}/a.csv.gz")


@given(st.binary(max_size=200))
def test_any_bytes_give_records_or_one_of_our_errors(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any_captions"
    folder.mkdir(exist_ok=True)
    for name in ("a.jsonl", "a.parquet", "a.json", "a.tar"):
        (folder / name).write_bytes(content)
        [reader] = caption_readers(str(folder / name), Columns(), IMAGES)
        try:
            records_of(reader)
        except FlamingoError:
            continue
