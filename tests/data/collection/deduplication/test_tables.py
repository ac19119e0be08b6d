"""Signatures come back from bytes and files as they were, and others are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flamingo.data.collection.deduplication import PageSignature, SignatureTable, signature_of
from flamingo.data.collection.pages import ImageNode
from flamingo.foundation.errors import DataError
from tests.data.collection.deduplication.pages_for_tests import image, page, text

PAGES = [
    page("https://e.org/é", text(30, 0), image("a", 2**64 - 1), "b", date="2020"),
    page("c\ud800.html"),
    page("https://e.org/d", ImageNode("e.png"), image("f", None), image("g", 7)),
]


def columns(table: SignatureTable) -> dict[str, np.ndarray]:
    numbers = ("url", "domain", "moment", "num_words", "whole_text")
    items = ("texts", "pixels", "looks", "has_look", "sources", "minhash")
    return {
        **{name: table.numbers(name) for name in numbers},
        **{name: table.items(name) for name in items},
    }


def test_columns_are_those_of_the_signatures() -> None:
    signatures = [signature_of(one) for one in PAGES]
    table = SignatureTable.of(signatures)
    assert len(table) == 3
    assert [table.address(number) for number in (0, 2)] == ["https://e.org/é", "https://e.org/d"]
    assert table.num_texts.tolist() == [2, 0, 0]
    assert table.num_images.tolist() == [1, 0, 3]
    for name, column in columns(table).items():
        values = [np.atleast_1d(getattr(one, name)) for one in signatures]
        np.testing.assert_array_equal(column, np.concatenate(values))
    np.testing.assert_array_equal(table.minhashes[2], signatures[2].minhash)


@pytest.mark.parametrize("num", [0, 1, 3])
def test_bytes_and_files_give_the_same_table(num: int, tmp_path: Path) -> None:
    table = SignatureTable.of(signature_of(one) for one in PAGES[:num])
    content = table.to_bytes()
    (tmp_path / "signatures").write_bytes(content)
    for other in (
        SignatureTable.from_bytes(content),
        SignatureTable.open(tmp_path / "signatures"),
        SignatureTable.of(signature_of(one) for one in PAGES[:num]),
    ):
        assert len(other) == num
        assert other.to_bytes() == content
        assert other.minhashes.shape == (num, 128)
        for name, column in columns(other).items():
            np.testing.assert_array_equal(column, columns(table)[name])


def test_a_page_takes_about_as_many_bytes_as_is_told() -> None:
    def size(signatures: list[PageSignature]) -> float:
        return len(SignatureTable.of(signatures * 1000).to_bytes()) / 1000

    empty = signature_of(page("https://example.org/" + "a" * 50))
    full = [signature_of(page("https://example.org/" + "a" * 50, *["b"] * 20, *[image("c")] * 4))]
    assert 500 < size([empty]) < 700
    assert size(full) - size([empty]) == pytest.approx(20 * 8 + 4 * 25, abs=10)


@pytest.mark.parametrize("content", [b"", b"no table", b"ARROW1\0\0" * 9])
def test_what_is_no_table_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no signatures"):
        SignatureTable.from_bytes(content)
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(DataError, match=r"bad (holds no signatures|cannot be opened)"):
        SignatureTable.open(tmp_path / "bad")


def test_a_missing_file_and_a_cut_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be opened"):
        SignatureTable.open(tmp_path / "none")
    content = SignatureTable.of(signature_of(one) for one in PAGES).to_bytes()
    with pytest.raises(DataError, match="holds no signatures"):
        SignatureTable.from_bytes(content[:-20])
