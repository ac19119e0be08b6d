"""Two processes compute together what one computes alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.multiprocessing as multiprocessing

from flamingo.training.clipping import clip_gradient
from flamingo.training.contrastive_objective import ContrastiveObjective
from flamingo.training.gathering import gather_rows, row_counts
from tests.training.forks import START_METHOD
from tests.training.towers_on_two_processes import CASES, CLIPS, batch_of, gradients, towers, work


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("together")
    multiprocessing.start_processes(work, (str(folder),), nprocs=2, start_method=START_METHOD)
    results: dict[str, Any] = torch.load(Path(folder) / "results.pt", weights_only=True)
    return results


@pytest.mark.parametrize(("num_rows", "at_once"), CASES)
def test_loss_and_every_gradient_are_those_of_one_process(
    num_rows: int, at_once: int | None, together: dict[str, Any]
) -> None:
    loss, expected = gradients(ContrastiveObjective(), batch_of(num_rows))
    found_loss, found = together[f"{num_rows} {at_once}"]
    assert found_loss == pytest.approx(loss, rel=1e-6)
    assert found.keys() == expected.keys()
    size = torch.cat([gradient.flatten() for gradient in expected.values()]).norm()
    for name, gradient in expected.items():
        assert (found[name] - gradient).norm() <= 1e-6 * size, name


def test_negatives_of_the_other_process_matter(together: dict[str, Any]) -> None:
    halves = [
        gradients(ContrastiveObjective(), {n: v[rows] for n, v in batch_of(8).items()}, 0.5)
        for rows in (slice(0, 4), slice(4, 8))
    ]
    found_loss, found = together["8 None"]
    assert found_loss > sum(loss for loss, _ in halves) + 0.1
    name = "visual_projection.weight"
    assert not torch.allclose(found[name], halves[0][1][name] + halves[1][1][name], rtol=0.1)


@pytest.mark.parametrize("kind", CLIPS)
def test_a_gradient_spread_over_processes_is_clipped_like_a_whole_one(
    kind: str, together: dict[str, Any]
) -> None:
    num_rows, _ = CASES[-1]
    named = dict(towers().named_parameters())
    for name, gradient in gradients(ContrastiveObjective(), batch_of(num_rows))[1].items():
        named[name].grad = gradient
    norm = clip_gradient(named, CLIPS[kind], step=0)
    found_norm, found = together[kind]
    assert found_norm == pytest.approx(norm, rel=1e-5)
    for name, gradient in found.items():
        assert torch.allclose(gradient, named[name].grad, rtol=1e-4, atol=1e-8), name


def test_alone_nothing_is_exchanged() -> None:
    rows = torch.randn(3, 2, requires_grad=True)
    assert row_counts(3, torch.device("cpu")) == [3]
    gathered, first = gather_rows(rows, [3])
    assert gathered is rows
    assert first == 0
