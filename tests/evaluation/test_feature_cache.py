"""Features are kept, whoever writes and whatever is killed."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from flamingo.evaluation.feature_cache import FeatureCache
from flamingo.foundation.errors import DataError


def rows(*values: float) -> np.ndarray:
    return np.array([[value, -value, 1.0] for value in values], np.float32)


def pieces(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.safetensors"))


def test_what_was_added_is_there_again(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, encoder="eyes")
    assert cache.missing(["a", "b", "a"]) == ["a", "b"]
    cache.add(["b"], rows(2))
    cache.add(["c/ü\n\udc80", "a"], rows(3, 1))
    again = FeatureCache(tmp_path, 3, encoder="eyes")
    for one in (cache, again):
        assert len(one) == 3
        assert one.width == 3
        assert one.missing(["a", "x", "b"]) == ["x"]
        found = one.rows(["a", "b", "c/ü\n\udc80", "a"])
        assert found.dtype == np.float32
        assert np.array_equal(found, rows(1, 2, 3, 1))


def test_no_key_gives_no_row(tmp_path: Path) -> None:
    assert FeatureCache(tmp_path, 7, encoder="eyes").rows([]).shape == (0, 7)


def test_other_floating_formats_become_float32(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, encoder="eyes")
    cache.add(["a"], rows(0.5).astype(np.float16))
    cache.add(["b"], rows(0.25).astype(np.float64)[:, ::1])
    assert np.array_equal(cache.rows(["b", "a"]), rows(0.25, 0.5))


def test_of_a_key_that_is_there_the_old_row_stays(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, encoder="eyes")
    cache.add(["a"], rows(1))
    cache.add(["a", "b"], rows(9, 2))
    cache.add(["a"], rows(8))
    assert np.array_equal(FeatureCache(tmp_path, encoder="eyes").rows(["a", "b"]), rows(1, 2))
    assert len(pieces(tmp_path)) == 2


def test_encoders_do_not_see_each_others_features(tmp_path: Path) -> None:
    FeatureCache(tmp_path, encoder="eyes").add(["a"], rows(1))
    other = FeatureCache(tmp_path, encoder="better eyes")
    assert other.missing(["a"]) == ["a"]
    other.add(["a"], np.ones((1, 8), np.float32))
    assert np.array_equal(FeatureCache(tmp_path, encoder="eyes").rows(["a"]), rows(1))


@pytest.mark.parametrize("damage", ["cut", "emptied", "flipped", "zeroed", "foreign"])
def test_a_damaged_file_is_told_and_computed_again(tmp_path: Path, damage: str) -> None:
    cache = FeatureCache(tmp_path, encoder="eyes")
    cache.add(["a"], rows(1))
    (whole,) = pieces(tmp_path)
    cache.add(["b"], rows(2))
    (torn,) = set(pieces(tmp_path)) - {whole}
    content = torn.read_bytes()
    torn.write_bytes(
        {
            "cut": content[:-5],
            "emptied": b"",
            "flipped": content[:-1] + bytes([content[-1] ^ 1]),
            "zeroed": content[:-12] + bytes(12),
            "foreign": b"something else of a certain length",
        }[damage]
    )
    with pytest.warns(UserWarning, match=torn.name):
        again = FeatureCache(tmp_path, encoder="eyes")
    assert again.damaged == [torn]
    assert again.missing(["a", "b"]) == ["b"]
    assert np.array_equal(again.rows(["a"]), rows(1))
    with pytest.raises(DataError, match=torn.name):
        cache.rows(["b"])


def test_a_piece_that_was_not_finished_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = FeatureCache(tmp_path, encoder="eyes")
    cache.add(["a"], rows(1))

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            cache.add(["b"], rows(2))
    again = FeatureCache(tmp_path, encoder="eyes")
    for one in (cache, again):
        assert one.missing(["a", "b"]) == ["b"]
    again.add(["b"], rows(2))
    assert np.array_equal(again.rows(["a", "b"]), rows(1, 2))


def write_many(folder: Path, first: int) -> None:
    cache = FeatureCache(folder, encoder="eyes")
    for number in range(first, first + 10):
        cache.add([f"item {number}", "shared"], rows(number, 5))


def test_two_write_at_once(tmp_path: Path) -> None:
    # They share nothing but the folder, as processes do.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write_many, [tmp_path] * 2, [0, 10]))
    cache = FeatureCache(tmp_path, encoder="eyes")
    keys = [f"item {number}" for number in range(20)]
    assert np.array_equal(cache.rows([*keys, "shared"]), rows(*range(20), 5))


def test_a_key_without_a_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 of 2 keys have no features in .*'x'"):
        FeatureCache(tmp_path, 3, encoder="eyes").rows(["x", "x"])


@pytest.mark.parametrize(
    ("keys", "features", "message"),
    [
        (["a", "b", "a"], rows(1, 2, 3), "'a' comes twice among 3"),
        (["a"], rows(1, 2), r"shape \[2, 3\], expected one row for each of 1 keys"),
        (["a"], rows(1)[:, :2], r"shape \[1, 2\], .* of the width 3"),
        (["a", "b"], rows(1, np.nan), "features of 'b' are not finite, and those of 1 of 2"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    tmp_path: Path, keys: list[str], features: np.ndarray, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        FeatureCache(tmp_path, 3, encoder="eyes").add(keys, features)


def test_another_width_than_is_there_is_refused(tmp_path: Path) -> None:
    FeatureCache(tmp_path, encoder="eyes").add(["a"], rows(1))
    with pytest.raises(DataError, match="of the width 3, but 4 is asked for"):
        FeatureCache(tmp_path, 4, encoder="eyes")
