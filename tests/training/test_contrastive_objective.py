from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from flamingo.foundation.errors import ConfigError
from flamingo.model.contrastive import Embeddings, contrastive_loss
from flamingo.training.contrastive_objective import ContrastiveObjective
from flamingo.training.objective import Merging, Splittable, Weighing
from tests.training.towers_on_two_processes import ROWS_AT_ONCE, batch_of, gradients, towers


class Given(nn.Module):
    """Places pictures where their pixels say, and caption number i at axis i."""

    def forward(self, pixels: Tensor, token_ids: Tensor, token_mask: Tensor) -> Embeddings:
        return Embeddings(pixels, torch.eye(len(pixels)), torch.tensor([2.0]))


def test_the_objective_reports_the_loss_and_what_was_found() -> None:
    similarity = torch.eye(4) * 5
    similarity[3] = torch.tensor([9.0, 0.0, 0.0, 1.0])
    batch = {"pixels": similarity, "token_ids": None, "token_mask": None}
    report = ContrastiveObjective(0.2)(Given(), batch, "scenes")
    logits = 2 * similarity
    assert torch.equal(report.loss, contrastive_loss(logits, logits.T, label_smoothing=0.2))
    assert report.num_tokens == 4
    assert float(report.metrics["found"]) == pytest.approx(0.75)


@pytest.mark.parametrize("num_rows", [5, 8])
def test_few_rows_at_once_change_neither_loss_nor_gradient(num_rows: int) -> None:
    batch = batch_of(num_rows)
    loss, expected = gradients(ContrastiveObjective(), batch)
    found_loss, found = gradients(ContrastiveObjective(rows_at_once=ROWS_AT_ONCE), batch)
    assert found_loss == pytest.approx(loss, rel=1e-6)
    for name, gradient in expected.items():
        assert torch.allclose(found[name], gradient, rtol=1e-4, atol=1e-5), name


def test_few_rows_at_once_go_through_the_towers_together() -> None:
    sizes = []
    model = towers()
    model.vision_encoder.register_forward_hook(lambda _m, inputs, _o: sizes.append(len(inputs[0])))
    report = ContrastiveObjective(rows_at_once=2)(model, batch_of(5), "pairs")
    report.loss.backward()
    assert max(sizes) == 2
    assert sum(sizes) == 2 * 5


def test_a_dropped_activation_is_the_same_one_the_second_time() -> None:
    model = towers()
    model.text_encoder.config.hidden_dropout_prob = 0.5
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.5
    batch = batch_of(4)
    losses = []
    for moved in (0.0, 1e-3):
        torch.manual_seed(3)
        with torch.no_grad():
            model.text_projection.weight[0, 0] += moved
        report = ContrastiveObjective(rows_at_once=2)(model, batch, "pairs")
        losses.append(float(report.loss.detach()))
        if not moved:
            report.loss.backward()
    slope = float(model.text_projection.weight.grad[0, 0])
    assert (losses[1] - losses[0]) / 1e-3 == pytest.approx(slope, rel=0.05, abs=0.01)


def test_it_counts_rows_and_cannot_be_cut_into_parts() -> None:
    objective: Any = ContrastiveObjective()
    assert isinstance(objective, Weighing)
    assert objective.denominator(batch_of(5)) == 5.0
    assert not isinstance(objective, Splittable)


def test_merged_data_sets_are_negatives_of_each_other() -> None:
    objective = ContrastiveObjective()
    assert isinstance(objective, Merging)
    first, second = batch_of(3), batch_of(5)
    for name in ("token_ids", "token_mask"):
        second[name] = second[name][:, :3]
    merged = objective.merge([(1.0, first), (1.0, second)])
    assert merged["pixels"].shape[0] == merged["token_ids"].shape[0] == 8
    assert merged["token_mask"][3:, 3:].sum() == 0
    with pytest.raises(ConfigError, match=r"weights are \[1.0, 0.2\]"):
        objective.merge([(1.0, first), (0.2, second)])


def test_one_row_at_once_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 2, not 1"):
        ContrastiveObjective(rows_at_once=1)
