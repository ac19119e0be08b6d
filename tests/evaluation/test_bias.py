from __future__ import annotations

import math

import pytest

from flamingo.evaluation.bias import bias_markdown, bias_of, bias_rows
from flamingo.evaluation.welch import welch_t_test
from flamingo.foundation.errors import ConfigError, DataError

VALUES = {"1": 1.0, "2": 0.5, "3": 0.0, "4": 0.5, "5": 0.25, "6": 2.0}
GROUPS = {
    "gender": {"1": "female", "2": "female", "3": "male", "4": "male", "5": "male", "9": "male"}
}


def test_means_differences_and_what_is_left_out() -> None:
    (one,) = bias_of(VALUES, GROUPS)
    assert [(mean.group, mean.n, mean.mean) for mean in one.means] == [
        ("female", 2, 0.75),
        ("male", 3, 0.25),
    ]
    (pair,) = one.differences
    assert (pair.first, pair.second, pair.difference) == ("female", "male", 0.5)
    assert pair.test == welch_t_test([1.0, 0.5], [0.0, 0.5, 0.25])
    assert pair.effect == pytest.approx(0.5 / math.sqrt((0.125 + 0.0625) / 2))
    assert one.overall == pytest.approx(4.25 / 6)
    assert (one.num_without_group, one.num_without_value) == (1, 1)


def test_the_order_of_the_groups_can_be_chosen() -> None:
    (one,) = bias_of(VALUES, GROUPS, {"gender": ["male", "female"]})
    assert one.differences[0].difference == -0.5


def test_groups_that_are_not_named_are_left_out() -> None:
    groups = {"gender": {**GROUPS["gender"], "6": "unsure"}}
    with pytest.raises(DataError, match="'unsure' of gender has 1 of the queries"):
        bias_of(VALUES, groups)
    (one,) = bias_of(VALUES, groups, {"gender": ["female", "male"]})
    assert len(one.differences) == 1
    assert one.num_without_group == 1


def test_all_pairs_of_three_groups_are_compared() -> None:
    groups = {"age": dict(zip(VALUES, "aabbcc", strict=True))}
    (one,) = bias_of(VALUES, groups)
    assert [(pair.first, pair.second) for pair in one.differences] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]


def test_groups_without_any_spread() -> None:
    values = {"1": 1.0, "2": 1.0, "3": 0.0, "4": 0.0}
    (one,) = bias_of(values, {"g": dict(zip(values, "aabb", strict=True))})
    assert (one.differences[0].effect, one.differences[0].test.p) == (math.inf, 0.0)
    (one,) = bias_of(dict.fromkeys(values, 1.0), {"g": dict(zip(values, "aabb", strict=True))})
    assert (one.differences[0].effect, one.differences[0].test.p) == (0.0, 1.0)


def test_ids_that_do_not_match_are_shown() -> None:
    with pytest.raises(
        DataError, match=r"Ids of the groups: 'a', 'b'\. Ids of the queries: '1', '2'"
    ):
        bias_of(VALUES, {"gender": {"a": "female", "b": "male"}})


def test_wrong_names_are_told() -> None:
    with pytest.raises(ConfigError, match=r"no attribute 'sex'\. Known names: gender"):
        bias_of(VALUES, GROUPS, {"sex": ["female"]})
    with pytest.raises(ConfigError, match="gender has no group 'woman'"):
        bias_of(VALUES, GROUPS, {"gender": ["woman", "male"]})
    with pytest.raises(ConfigError, match="nothing to compare"):
        bias_of(VALUES, GROUPS, {"gender": ["male"]})


def test_the_table() -> None:
    found = bias_of(VALUES, GROUPS)
    assert bias_rows(found)[1][:6] == [
        "gender",
        "female - male",
        "2, 3",
        "0.750 - 0.250",
        "+0.500",
        "+1.63",
    ]
    assert "gender: 0.708 over all 6 queries; 1 of them" in bias_markdown(found)
