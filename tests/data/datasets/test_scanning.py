from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.datasets.scanning import (
    Layout,
    UnusableShard,
    scan_lines,
    scan_tar,
    split_name,
)
from flamingo.foundation.errors import DataError

from .datasets_for_tests import tar_bytes

MEMBERS = {"a.jpg": b"1" * 700, "a.txt": b"A", "b.jpg": b"2", "b.txt": b"B", "c.txt": b"C"}


def scanned(content: bytes) -> Layout:
    return scan_tar(io.BytesIO(content), len(content))


def keys(layout: Layout, content: bytes) -> list[str]:
    """The name of the member at which each sample begins."""
    return [
        content[start : start + 100].rstrip(b"\0").decode() for start in layout.starts[:-1].tolist()
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jpg", ("a", "jpg")),
        ("a.0.JPG", ("a", "0.jpg")),
        ("x/y.z/a.b.c", ("x/y.z/a", "b.c")),
        ("./a.jpg", ("a", "jpg")),
        ("README", None),
        ("x.y/README", None),
        (".hidden", None),
        ("x/._a.jpg", None),
        ("a.", None),
    ],
)
def test_names(name: str, expected: tuple[str, str] | None) -> None:
    assert split_name(name) == expected


def test_neighbors_of_one_key_are_a_sample() -> None:
    content = tar_bytes(MEMBERS)
    layout = scanned(content)
    assert keys(layout, content) == ["a.jpg", "b.jpg", "c.txt"]
    assert layout.num_bytes == len(content)
    assert not layout.faults
    assert layout.starts.tolist() == [0, 512 + 1024 + 1024, 9 * 512, 11 * 512]


def test_other_members_belong_to_no_sample() -> None:
    content = tar_bytes({"README": b"?", "a.jpg": b"1", "LICENSE": b"?", "a.txt": b"A"})
    assert keys(scanned(content), content) == ["a.jpg"]


def test_long_and_foreign_names() -> None:
    names = [f"{'folder/' * 30}{'ü' * 20}{number}.txt" for number in range(3)]
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
            for name in names:
                tar.addfile(tarfile.TarInfo(name))
        layout = scanned(buffer.getvalue())
        assert len(layout) == 3
        assert not layout.faults


def test_the_second_sample_of_a_key_is_named() -> None:
    content = tar_bytes({**MEMBERS, "a.png": b"again"})
    layout = scanned(content)
    assert len(layout) == 4
    assert list(layout.faults) == [3]
    assert layout.faults[3].key == "a"
    assert "its key stands earlier in this shard" in layout.faults[3].reason


@pytest.mark.parametrize("cut", [1024 + 512 + 100, 3 * 512 + 512 + 1])
def test_a_cut_in_a_member_costs_its_sample_and_what_follows(cut: int) -> None:
    content = tar_bytes({"a.txt": b"A", "b.jpg": b"2" * 2000, "b.txt": b"B", "c.txt": b"C"})[:cut]
    layout = scanned(content)
    assert len(layout) == 2
    assert list(layout.faults) == [1]
    assert layout.faults[1].key == "b"
    assert f"ends at byte {cut:,}, in the middle of b.jpg" in layout.faults[1].reason


@given(st.integers(1, 5 * 1024 + 2048))
def test_wherever_a_tar_is_cut_what_was_whole_stays(cut: int) -> None:
    names = ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]
    content = tar_bytes(dict.fromkeys(names, b"text"))
    assert content[5 * 1024 :].strip(b"\0") == b""
    if cut < 512:
        with pytest.raises(UnusableShard):
            scanned(content[:cut])
        return
    layout = scanned(content[:cut])
    sound = [number for number in range(len(layout)) if number not in layout.faults]
    # The four bytes of a text stand at the beginning of the second block of its member.
    assert len(sound) == min(5, (cut - 512 - 4) // 1024 + 1)
    is_whole = cut >= 5 * 1024 + 512
    assert len(layout.faults) == (0 if is_whole else 1)


def test_damage_in_the_middle_is_named() -> None:
    content = bytearray(tar_bytes({f"{name}.txt": b"text" for name in "abcd"}))
    content[2 * 1024 : 2 * 1024 + 512] = b"x" * 512
    layout = scanned(bytes(content))
    assert keys(layout, bytes(content))[:2] == ["a.txt", "b.txt"]
    assert list(layout.faults) == [2]
    assert "cannot be read from byte 2,048 on: a damaged header" in layout.faults[2].reason


def test_a_size_that_leads_back_ends_the_scan() -> None:
    content = bytearray(tar_bytes({"a.txt": b"text", "b.txt": b"text"}))
    header = tarfile.TarInfo("b.txt")
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\xff" * 11 + b"\x00"  # -256 in base 256
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    content[1024:1536] = block
    layout = scanned(bytes(content))
    assert 0 not in layout.faults
    assert 1 in layout.faults


def test_joined_tars_are_noticed() -> None:
    one, other = tar_bytes({"a.txt": b"A"}), tar_bytes({"b.txt": b"B"})
    layout = scanned(one + other)
    assert "something follows behind the end mark" in layout.faults[1].reason


def test_an_empty_tar_has_no_sample() -> None:
    assert len(scanned(tar_bytes({}))) == 0


@pytest.mark.parametrize("content", [b"", b"text", b"<html>" * 999, bytes(range(256)) * 99])
def test_other_files_are_no_tars(content: bytes) -> None:
    with pytest.raises(UnusableShard, match="it is no tar"):
        scanned(content)


@pytest.mark.parametrize("scan", [scan_tar, scan_lines])
def test_gzip_is_refused(scan) -> None:
    with pytest.raises(DataError, match=r"compressed with gzip.*\n.*gunzip") as caught:
        scan(io.BytesIO(b"\x1f\x8b..."), 5)
    assert not isinstance(caught.value, UnusableShard)


@given(st.lists(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b"")), max_size=8))
def test_lines(lines: list[bytes]) -> None:
    for content in (b"".join(line + b"\n" for line in lines), b"\n".join(lines)):
        layout = scan_lines(io.BytesIO(content), len(content))
        found = [
            content[start:end].rstrip(b"\n")
            for start, end in np.stack([layout.starts[:-1], layout.starts[1:]], 1).tolist()
        ]
        assert found == content.split(b"\n")[: len(found)]
        assert b"".join(content.split(b"\n")[len(found) :]) == b""
