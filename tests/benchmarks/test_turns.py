"""Contenders take turns, and ratios are of what the turns took."""

from __future__ import annotations

import pytest

from benchmarks.measuring import Times
from benchmarks.turns import Work, compare, exponent, take_turns, timed


def test_every_second_round_goes_backwards_and_the_first_is_not_counted() -> None:
    order: list[str] = []

    def work(name: str) -> Work:
        return timed(lambda: order.append(name))

    taken = take_turns({name: work(name) for name in "ab"}, 2)
    assert order == list("ab" + "ab" + "ba")
    assert {name: len(own) for name, own in taken.items()} == {"a": 2, "b": 2}


def test_another_warm_up_stands_in_for_long_works() -> None:
    order: list[str] = []
    works = {"a": timed(lambda: order.append("long"))}
    take_turns(works, 1, warm_up={"a": timed(lambda: order.append("short"))})
    assert order == ["short", "long"]


def test_a_ratio_of_medians_lies_in_its_spread() -> None:
    over = [Times(4.0, 2.0), Times(8.0, 2.0), Times(6.0, 2.0)]
    under = [Times(1.0, 1.0), Times(4.0, 1.0), Times(2.0, 1.0)]
    found = compare(over, under)
    assert (found.ratio, found.spread, found.cpu_ratio) == (3.0, (2.0, 4.0), 2.0)
    assert (found.over, found.under) == (6.0, 2.0)
    assert compare(over, under, per=(2, 10)).ratio == pytest.approx(15.0)


def test_the_exponent_of_a_power_is_the_power() -> None:
    assert exponent([1, 2, 4, 8], [3.0, 12.0, 48.0, 192.0]) == pytest.approx(2.0)
