"""Tokens are the likeliest, or drawn as often as they are likely."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from flamingo.serving.sampling import Sampler

KNOWN = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()


def counts(sampler: Sampler, number: int = 4000) -> list[float]:
    found = Counter(sampler(KNOWN) for _ in range(number))
    return [found[token] / number for token in range(4)]


def test_the_likeliest() -> None:
    assert Sampler(0)(KNOWN) == 0


def test_as_often_as_likely() -> None:
    assert counts(Sampler(1, seed=0)) == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.03)
    cold = KNOWN.exp() ** 2
    expected = (cold / cold.sum()).tolist()
    assert counts(Sampler(0.5, seed=0)) == pytest.approx(expected, abs=0.03)


def test_only_the_likeliest_of_a_share() -> None:
    assert counts(Sampler(1, 0.6, seed=0)) == pytest.approx([0.625, 0.375, 0, 0], abs=0.03)
    assert counts(Sampler(1, 1e-9, seed=0)) == [1, 0, 0, 0]


def test_seeds() -> None:
    one, same, other = (Sampler(1, seed=s, number=n) for s, n in ((3, 0), (3, 0), (3, 1)))
    drawn = [[sampler(KNOWN) for _ in range(50)] for sampler in (one, same, other)]
    assert drawn[0] == drawn[1] != drawn[2]
    unknown = [[Sampler(1)(KNOWN) for _ in range(50)] for _ in range(2)]
    assert unknown[0] != unknown[1]


def test_a_temperature_near_zero_is_no_division_by_it() -> None:
    assert Sampler(1e-6, seed=0)(KNOWN) == 0
    assert Sampler(1e-300, seed=0)(KNOWN) == 0
