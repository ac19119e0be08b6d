from __future__ import annotations

import pytest
import torch

from flamingo.foundation.errors import DataError
from flamingo.training.rows import join_rows, num_rows, rows_of, split_rows
from tests.training.flamingo_run import Pages


def test_parts_are_rows_in_order() -> None:
    batch = {"x": torch.arange(10).view(5, 2), "scale": torch.tensor(3.0)}
    parts = list(split_rows(batch, 3))
    assert [num_rows(part) for part in parts] == [2, 2, 1]
    assert torch.equal(torch.cat([part["x"] for part in parts]), batch["x"])
    assert all(part["scale"] == 3.0 for part in parts)


def test_rows_of_a_batch_of_the_model() -> None:
    batch = Pages().batch(0)
    some = rows_of(batch, range(1, 3))
    assert torch.equal(some.input_ids, batch.input_ids[1:3])
    assert torch.equal(some.pixel_values, batch.pixel_values[1:3])


def test_joined_rows_are_filled_up_to_the_longest() -> None:
    one = {"ids": torch.ones(2, 3), "labels": torch.ones(2, 3)}
    two = {"ids": torch.full((1, 5), 2.0), "labels": torch.full((1, 5), 2.0)}
    joined = join_rows([one, two])
    assert joined["ids"].tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [2, 2, 2, 2, 2]]
    assert joined["labels"][0].tolist() == [1, 1, 1, -100, -100]


def test_a_field_that_one_batch_lacks_is_empty_for_its_rows() -> None:
    pictures = {"ids": torch.ones(1, 2), "pixels": torch.ones(1, 2, 4)}
    text = {"ids": torch.ones(2, 2), "pixels": None}
    joined = join_rows([pictures, text])
    assert joined["pixels"].shape == (3, 2, 4)
    assert joined["pixels"][1:].abs().sum() == 0


def test_batches_of_two_kinds_do_not_join() -> None:
    with pytest.raises(DataError, match=r"their 'x' have \[2, 3\] dimensions"):
        join_rows([{"x": torch.ones(1, 2)}, {"x": torch.ones(1, 2, 3)}])
