from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.prompt_variants import TEMPLATE_VARIANTS, order_variants
from flamingo.foundation.errors import ConfigError
from flamingo.prompting import template_named


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 32), st.integers(1, 30), st.integers(0, 5))
def test_orders_are_different_permutations(num_shots: int, num_variants: int, seed: int) -> None:
    orders = order_variants(num_shots, num_variants, seed)
    assert len(orders) == len(set(orders)) == min(num_variants, math.factorial(num_shots))
    assert all(sorted(order) == list(range(num_shots)) for order in orders)
    assert orders[0] == tuple(range(num_shots))
    assert orders == order_variants(num_shots, num_variants, seed)


def test_another_seed_gives_other_orders_and_more_keep_the_first_ones() -> None:
    assert order_variants(8, 6, 0) != order_variants(8, 6, 1)
    assert order_variants(8, 12, 0)[:6] == order_variants(8, 6, 0)


@pytest.mark.parametrize(("num_shots", "num_variants"), [(4, 0), (-1, 3)])
def test_impossible_numbers_are_told(num_shots: int, num_variants: int) -> None:
    with pytest.raises(ConfigError, match=f"no {num_variants} orders of {num_shots} shots"):
        order_variants(num_shots, num_variants, 0)


@pytest.mark.parametrize("name", TEMPLATE_VARIANTS)
def test_rewordings_have_the_fields_of_the_papers_template(name: str) -> None:
    first, *others = TEMPLATE_VARIANTS[name]
    assert first == template_named(name)
    assert len({one.prefix for one in (first, *others)}) == len(others) + 1 >= 4
    for one in others:
        assert (one.fields, one.answer) == (first.fields, first.answer)
