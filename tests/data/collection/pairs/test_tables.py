from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.made_samples import Refused
from flamingo.data.collection.pairs.records import CaptionRecord
from flamingo.data.collection.pairs.settings import Columns
from flamingo.data.collection.pairs.tables import TableCaptions
from flamingo.foundation.errors import ConfigError, DataError, FlamingoError

from .pairs_for_tests import records_of, whole_records


def table(
    tmp_path: Path, content: str | bytes, name: str = "a.csv", **columns: object
) -> TableCaptions:
    data = content.encode() if isinstance(content, str) else content
    (tmp_path / name).write_bytes(data)
    return TableCaptions(tmp_path, name, Columns(**columns))  # type: ignore[arg-type]


def short(reader: TableCaptions, size: int = 2) -> list[tuple[int, str, str]]:
    return [(one.number, one.address, one.texts[0]) for one in whole_records(reader, size)]


def test_columns_are_found_by_their_names(tmp_path: Path) -> None:
    text = (
        "id,Caption,URL,License,width\n1,A dog,http://a/1.jpg,CC0,10\n2,A cat,http://a/2.jpg,,20\n"
    )
    found = whole_records(table(tmp_path, text, kept=("width",)))
    assert [(one.address, one.texts) for one in found] == [
        ("http://a/1.jpg", ("A dog",)),
        ("http://a/2.jpg", ("A cat",)),
    ]
    assert found[0].fields == {"url": "http://a/1.jpg", "license": "CC0", "width": "10"}
    assert found[1].fields == {"url": "http://a/2.jpg", "width": "20"}


def test_conceptual_captions_have_no_header(tmp_path: Path) -> None:
    rows = 'a "dog" runs\thttp://a/1\na cat, asleep\thttp://a/2\n'
    expected = [(0, "http://a/1", 'a "dog" runs'), (1, "http://a/2", "a cat, asleep")]
    assert short(table(tmp_path, rows, "Train.tsv")) == expected
    turned = "http://a/1\ta dog runs\nhttp://a/2\ta cat\n"
    assert short(table(tmp_path, turned, "cc12m.tsv"))[1] == (1, "http://a/2", "a cat")


def test_columns_may_be_numbers(tmp_path: Path) -> None:
    rows = "x;photos/1.jpg;A dog\ny;photos/2.jpg;A cat\n"
    reader = table(tmp_path, rows, media=1, text=2, delimiter=";")
    assert short(reader) == [(0, "photos/1.jpg", "A dog"), (1, "photos/2.jpg", "A cat")]
    named = table(tmp_path, "a,b\n1.jpg,A dog\n", media="a", text=1)
    assert short(named) == [(0, "1.jpg", "A dog")]
    with pytest.raises(ConfigError, match=r"a\.csv has 2 columns, so there is no columns\.text=7"):
        table(tmp_path, "a,b\n1.jpg,A dog\n", media=0, text=7).pieces(2)
    with pytest.raises(ConfigError, match="has no column 'c'"):
        table(tmp_path, "a,b\n1.jpg,A dog\n", media="c", text=1).pieces(2)


def test_a_table_that_says_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column that is known to hold the media, only 'a', 'b'"):
        table(tmp_path, "a,b\nc,d\n").pieces(2)
    with pytest.raises(DataError, match="empty"):
        table(tmp_path, "").pieces(2)
    with pytest.raises(DataError, match="cannot be read"):
        TableCaptions(tmp_path, "gone.csv", Columns()).pieces(2)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pieces_begin_where_rows_begin(tmp_path: Path, size: int) -> None:
    rows = [f'{number}.jpg,"text, ""{number}""\nin two lines äöü"' for number in range(7)]
    reader = table(tmp_path, "\ufefffile,text\r\n" + "\r\n\r\n".join(rows) + "\r\n")
    expected = [
        (number, f"{number}.jpg", f'text, "{number}"\nin two lines äöü') for number in range(7)
    ]
    assert short(reader, size) == expected
    pieces = reader.pieces(size)
    assert [piece.count for piece in pieces] == [min(size, 7 - n) for n in range(0, 7, size)]
    assert len({piece.name for piece in pieces}) == len(pieces)
    assert not any("." in piece.name for piece in pieces)


def test_damaged_rows_do_not_hurt_others(tmp_path: Path) -> None:
    content = b"file,text\n1.jpg,A dog\n2.jpg\n3.jpg,caf\xe9\n,no file\n5.jpg,A cat\n"
    found = records_of(table(tmp_path, content))
    assert [type(one) for one in found] == [CaptionRecord, Refused, Refused, Refused, CaptionRecord]
    reasons = [one.reason for one in found if isinstance(one, Refused)]
    assert reasons == [
        "it has 1 cells, but there are 2 columns",
        "its text is not UTF-8",
        "the column file is empty",
    ]


def test_a_quotation_mark_that_is_not_closed_costs_little(tmp_path: Path) -> None:
    row = "a.jpg," + "x" * 1000 + "\n"
    content = "file,text\n" + '0.jpg,"open\n' + row * 500
    found = records_of(table(tmp_path, content), 50)
    assert sum(isinstance(one, CaptionRecord) for one in found) > 350
    assert "field limit" in next(one.reason for one in found if isinstance(one, Refused))


@given(st.text(max_size=200), st.integers(1, 4))
def test_any_text_gives_records_or_one_of_our_errors(
    tmp_path_factory: pytest.TempPathFactory, text: str, size: int
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any_table"
    folder.mkdir(exist_ok=True)
    content = f"file,text\n{text}".encode("utf-8", "surrogatepass")
    for name in ("a.csv", "a.tsv"):
        try:
            reader = table(folder, content, name)
            found = records_of(reader, size)
        except FlamingoError:
            continue
        numbers = [one.number for one in found if isinstance(one, CaptionRecord)]
        assert numbers == sorted(set(numbers))
        # Pieces cut the same rows in any size.
        assert found == records_of(reader, 1000)
