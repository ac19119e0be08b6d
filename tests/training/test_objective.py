from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from flamingo.training.objective import (
    FlamingoObjective,
    LanguageObjective,
    Splittable,
    next_token_loss,
)
from flamingo.training.rows import split_rows
from tests.tiny import tiny_flamingo
from tests.training.flamingo_run import Pages


def example(rows: int = 3, tokens: int = 5, words: int = 7) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    ids = torch.randint(words, (rows, tokens))
    weights = torch.rand(rows, tokens).round(decimals=1)
    return torch.randn(rows, tokens, words), ids, weights


def test_the_loss_is_the_papers_sum_over_tokens_per_row() -> None:
    logits, ids, weights = example()
    expected = 0.0
    for row in range(3):
        for position in range(1, 5):
            probability = logits[row, position - 1].softmax(0)[ids[row, position]]
            expected -= float(weights[row, position] * probability.log())
    total = float(next_token_loss(logits, ids, weights, "sum"))
    assert total == pytest.approx(expected / 3, rel=1e-5)
    mean = float(next_token_loss(logits, ids, weights))
    assert mean == pytest.approx(expected / float(weights[:, 1:].sum()), rel=1e-5)


def test_what_weighs_nothing_changes_nothing() -> None:
    logits, ids, weights = example()
    weights[:, 3] = 0.0
    other = ids.clone()
    other[:, 3] = (ids[:, 3] + 1) % 7
    assert torch.equal(
        next_token_loss(logits, ids, weights), next_token_loss(logits, other, weights)
    )


def test_the_first_token_is_never_a_target() -> None:
    logits, ids, weights = example()
    heavier = weights.clone()
    heavier[:, 0] = 100.0
    assert torch.equal(next_token_loss(logits, ids, weights), next_token_loss(logits, ids, heavier))


def test_a_batch_without_targets_has_loss_zero_and_a_finite_gradient() -> None:
    logits, ids, weights = example()
    logits.requires_grad_()
    loss = next_token_loss(logits, ids, torch.zeros_like(weights))
    loss.backward()
    assert loss.item() == 0.0
    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())


class ToyLanguageModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.table = nn.Embedding(7, 7)

    def forward(self, input_ids: Tensor, use_cache: bool, **others: Any) -> SimpleNamespace:
        assert not use_cache
        return SimpleNamespace(logits=self.table(input_ids))


@dataclass(frozen=True)
class ToyBatch:
    input_ids: Tensor
    loss_weights: Tensor
    pixel_values: Tensor | None = None

    def model_inputs(self) -> dict[str, Tensor]:
        return {"input_ids": self.input_ids}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("num_parts", [1, 2, 3, 8])
@pytest.mark.parametrize("kind", [LanguageObjective, FlamingoObjective])
def test_the_shares_of_the_parts_add_up_to_the_whole(
    kind: Any, num_parts: int, reduction: Any
) -> None:
    objective, model = kind(reduction), ToyLanguageModel()
    assert isinstance(objective, Splittable)
    _, ids, weights = example(rows=5)
    batch: Any = ToyBatch(ids, weights)
    if kind is LanguageObjective:
        batch = {"input_ids": ids, "loss_weights": weights, "attention_mask": torch.ones_like(ids)}
    whole = objective(model, batch, "text")
    parts = [
        (share, objective(model, part, "text")) for share, part in objective.split(batch, num_parts)
    ]
    total = sum(share * report.loss.item() for share, report in parts)
    assert total == pytest.approx(whole.loss.item(), rel=1e-5)
    assert sum(report.num_tokens for _, report in parts) == whole.num_tokens > 0


def test_rows_are_split_in_order_and_scalars_are_kept() -> None:
    batch = {"x": torch.arange(5), "temperature": 2.0}
    parts = list(split_rows(batch, 2))
    assert [part["x"].tolist() for part in parts] == [[0, 1, 2], [3, 4]]
    assert all(part["temperature"] == 2.0 for part in parts)


def test_the_z_loss_is_the_squared_logarithm_of_the_denominator() -> None:
    logits, ids, weights = example()
    plain = next_token_loss(logits, ids, weights)
    denominators = logits[:, :-1].exp().sum(-1).log().square()
    extra = (denominators * weights[:, 1:]).sum() / weights[:, 1:].sum()
    pulled = next_token_loss(logits, ids, weights, z_loss=0.01)
    torch.testing.assert_close(pulled, plain + 0.01 * extra)


def test_merged_rows_are_weighted_by_their_lambda() -> None:
    one, two = Pages().batch(0), Pages(seed=1).batch(1)
    objective, model = FlamingoObjective(), tiny_flamingo()
    merged = objective(model, objective.merge([(1.0, one), (0.2, two)]), "merged").loss
    sums = [objective(model, b, "").loss * objective.denominator(b) for b in (one, two)]
    weights = [objective.denominator(one), objective.denominator(two)]
    expected = (sums[0] + 0.2 * sums[1]) / (weights[0] + 0.2 * weights[1])
    torch.testing.assert_close(merged, expected)


def test_a_part_without_any_visual_is_learned_from_as_text() -> None:
    batch = Pages().batch(1)
    objective, model = FlamingoObjective(), tiny_flamingo()
    whole = objective(model, batch, "pages").loss
    parts = list(objective.split(batch, 4))
    assert not parts[-1][1].frame_mask.any()
    torch.testing.assert_close(sum(s * objective(model, p, "pages").loss for s, p in parts), whole)
