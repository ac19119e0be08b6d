from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from flamingo.foundation.errors import DataError
from flamingo.training.sources import batches, draws_of
from tests.training.toy_training import CONFIG, ToySource

SOURCES = [ToySource("pages", rows=2), ToySource("pairs", rows=3)]


def test_accumulation_draws_every_source_at_every_step() -> None:
    assert draws_of(5, 3, "accumulate") == [(0, 5), (1, 5), (2, 5)]


def test_round_robin_walks_through_each_source_without_gaps() -> None:
    draws = [draws_of(step, 3, "round_robin")[0] for step in range(12)]
    for source in range(3):
        numbers = [number for index, number in draws if index == source]
        assert all(later == earlier + 1 for earlier, later in pairwise(numbers))


@pytest.mark.parametrize("mixing", ["accumulate", "round_robin"])
def test_workers_keep_the_order_and_leave_random_numbers_alone(mixing: str) -> None:
    inline = replace(CONFIG, mixing=mixing)
    ahead = replace(inline, num_workers=2, prefetch=2)
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    made = list(batches(SOURCES, ahead, first_step=3))
    assert torch.equal(torch.rand(1), expected)
    plain = list(batches(SOURCES, inline, first_step=3))
    assert len(made) == len(plain) == 9 * (2 if mixing == "accumulate" else 1)
    for one, other in zip(made, plain, strict=True):
        assert torch.equal(one.batch["x"], other.batch["x"])


class Broken(ToySource):
    def batch(self, step: int) -> dict[str, torch.Tensor]:
        raise DataError(f"row {step} is not a row")


def test_an_error_in_a_worker_keeps_its_kind_and_its_words() -> None:
    config = replace(CONFIG, num_workers=1)
    with pytest.raises(DataError, match="row 0 is not a row"):
        next(batches([Broken("bad")], config, first_step=0))
