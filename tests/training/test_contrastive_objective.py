from __future__ import annotations

import pytest
import torch
from torch import nn

from flamingo.model.contrastive import contrastive_loss
from flamingo.training.contrastive_objective import ContrastiveObjective


class Given(nn.Module):
    """Answers with the pixels themselves as logits."""

    def forward(self, pixels, token_ids, token_mask):
        return pixels


def test_the_objective_reports_the_loss_and_what_was_found():
    logits = torch.eye(4) * 5
    logits[3] = torch.tensor([9.0, 0.0, 0.0, 1.0])
    batch = {"pixels": logits, "token_ids": None, "token_mask": None}
    report = ContrastiveObjective(0.2)(Given(), batch, "scenes")
    assert torch.equal(report.loss, contrastive_loss(logits, label_smoothing=0.2))
    assert report.num_tokens == 4
    assert float(report.metrics["found"]) == pytest.approx(0.75)
