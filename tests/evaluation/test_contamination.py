"""Copies of training pictures in a benchmark are found, and told apart from near copies."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flamingo.evaluation.contamination import Duplicate, find_duplicates
from flamingo.evaluation.looks import Looks
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.sequence import Visual
from tests.evaluation.smooth_pictures import smooth_picture


def looks(**pictures: Image.Image) -> Looks:
    return Looks.of((key, Visual.from_image(picture)) for key, picture in pictures.items())


def pairs(duplicates: tuple[Duplicate, ...]) -> list[tuple[str, str]]:
    return [(one.benchmark, one.training) for one in duplicates]


TRAINING = looks(
    other=smooth_picture(9),
    small=smooth_picture(0).resize((80, 60)),
    same=smooth_picture(0),
    again=smooth_picture(0),
    white=Image.new("RGB", (30, 30), "white"),
)
BENCHMARK = looks(
    new=smooth_picture(5),
    copy=smooth_picture(0),
    large=smooth_picture(9).resize((320, 240)),
    white=Image.new("RGB", (30, 30), "white"),
    black=Image.new("RGB", (30, 30), "black"),
)


def test_copies_and_near_copies_are_found_the_exact_ones_first() -> None:
    found = find_duplicates(TRAINING, BENCHMARK)
    assert pairs(found.duplicates) == [
        ("copy", "same"),
        ("copy", "again"),
        ("copy", "small"),
        ("large", "other"),
        ("white", "white"),
    ]
    assert [one.is_exact for one in found.duplicates] == [True, True, False, False, True]
    assert [one.distance for one in found.duplicates[:2]] == [0, 0]
    assert found.duplicates[-1].distance is None
    assert all(one.cosine is None for one in found.duplicates)


def test_each_picture_of_the_benchmark_is_counted_once() -> None:
    summary = find_duplicates(TRAINING, BENCHMARK).summary()
    assert summary == {
        "num_benchmark": 5,
        "num_training": 5,
        "num_plain": 2,
        "max_distance": 6,
        "min_cosine": None,
        "exact": 2,
        "near": 1,
        "pairs": 5,
    }


def test_features_find_what_the_hash_does_not_see() -> None:
    mirrored = smooth_picture(0).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    training = replace(
        looks(other=smooth_picture(9), same=smooth_picture(0)),
        features=np.array([[0.0, 2.0], [4.0, 0.0]], np.float32),
    )
    benchmark = replace(looks(mirrored=mirrored), features=np.array([[1.0, 0.1]], np.float32))
    (one,) = find_duplicates(training, benchmark).duplicates
    assert (one.training, one.is_exact) == ("same", False)
    assert one.distance is not None
    assert one.distance > 6
    assert one.cosine == pytest.approx(1 / np.sqrt(1.01))
    assert find_duplicates(training, benchmark, min_cosine=0.999).duplicates == ()


def test_what_the_hash_finds_carries_its_cosine_which_orders_equal_distances() -> None:
    training = replace(TRAINING, features=np.eye(5, dtype=np.float16))
    away_from_same = np.array([[0, 0, -1, 0, 0]] * 5, np.float16)
    found = find_duplicates(training, replace(BENCHMARK, features=away_from_same))
    cosines = {(one.benchmark, one.training): one.cosine for one in found.duplicates}
    assert list(cosines.items()) == [
        (("copy", "again"), 0),
        (("copy", "same"), -1),
        (("copy", "small"), 0),
        (("large", "other"), 0),
        (("white", "white"), 0),
    ]


def test_no_more_than_the_nearest_are_told() -> None:
    found = find_duplicates(TRAINING, BENCHMARK, num_nearest=1)
    assert pairs(found.duplicates)[0] == ("copy", "same")
    assert found.summary()["exact"] == 2


def test_nothing_is_found_in_nothing() -> None:
    assert find_duplicates(looks(), BENCHMARK).duplicates == ()
    assert find_duplicates(TRAINING, looks()).summary()["num_benchmark"] == 0


def test_it_is_written_line_by_line_with_a_summary(tmp_path: Path) -> None:
    found = find_duplicates(TRAINING, BENCHMARK)
    found.write(tmp_path / "check")
    lines = (tmp_path / "check" / "duplicates.jsonl").read_text(encoding="utf-8").splitlines()
    assert [Duplicate(**json.loads(line)) for line in lines] == list(found.duplicates)
    summary = (tmp_path / "check" / "summary.json").read_text(encoding="utf-8")
    assert json.loads(summary) == found.summary()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_distance": 65}, "max_distance is 65, but hashes have 64 bits"),
        ({"min_cosine": 1.5}, r"min_cosine is 1\.5"),
        ({"num_nearest": 0}, "num_nearest is 0"),
    ],
)
def test_thresholds_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        find_duplicates(TRAINING, BENCHMARK, **settings)


def test_features_of_one_side_only_are_refused() -> None:
    with pytest.raises(DataError, match="no features of the benchmark"):
        find_duplicates(replace(TRAINING, features=np.eye(5)), BENCHMARK)


def test_features_of_some_pictures_only_are_refused() -> None:
    with pytest.raises(DataError, match=r"5 keys, 5 fingerprints.*4 features"):
        replace(TRAINING, features=np.ones((4, 2)))
