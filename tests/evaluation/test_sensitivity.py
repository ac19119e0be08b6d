from __future__ import annotations

import pytest

from flamingo.evaluation.sensitivity import (
    Variant,
    sensitivity_markdown,
    sensitivity_of,
    sensitivity_rows,
)
from flamingo.foundation.errors import DataError

VARIANTS = [
    Variant("order 1", 50.0, {"1": "yes", "2": "no", "3": "two", "4": "a"}),
    Variant("order 2", 60.0, {"1": "yes", "2": "no", "3": "two", "4": "b"}),
    Variant("order 3", 40.0, {"1": "yes", "2": "yes", "3": "two", "4": "c"}),
]


def test_what_the_variants_say_together() -> None:
    found = sensitivity_of(VARIANTS)
    assert (found.mean, found.deviation, found.range) == (50, 10, 20)
    assert (found.worst, found.best) == ("order 3", "order 2")
    assert found.changed == 0.5
    assert found.agreement == pytest.approx((1 + 1 / 3 + 1 + 0) / 4)
    assert (found.num_variants, found.num_queries) == (3, 4)


def test_the_order_of_the_queries_does_not_matter() -> None:
    turned = [Variant(one.name, one.score, dict(reversed(one.answers.items()))) for one in VARIANTS]
    assert sensitivity_of([VARIANTS[0], *turned[1:]]) == sensitivity_of(VARIANTS)


def test_equal_answers_agree() -> None:
    found = sensitivity_of([VARIANTS[0], VARIANTS[0]])
    assert (found.changed, found.agreement, found.deviation) == (0, 1, 0)


def test_different_queries_are_told() -> None:
    short = Variant("order 2", 50.0, {"1": "yes", "2": "no"})
    with pytest.raises(DataError, match="2 have an answer of only one of them, such as '3'"):
        sensitivity_of([VARIANTS[0], short])


def test_too_little_is_told() -> None:
    with pytest.raises(DataError, match="There are 1 variants"):
        sensitivity_of(VARIANTS[:1])
    with pytest.raises(DataError, match="No variant has an answer"):
        sensitivity_of([Variant("a", 0.0, {}), Variant("b", 0.0, {})])


def test_the_table() -> None:
    found = {"vqav2": sensitivity_of(VARIANTS)}
    assert sensitivity_rows(found)[1] == [
        "vqav2",
        "40.0 (order 3)",
        "60.0 (order 2)",
        "50.0 ±10.0",
        "20.0",
        "50 %",
        "58 %",
    ]
    assert "over 3 variants of the prompt, each asked the same 4 queries" in sensitivity_markdown(
        found
    )
