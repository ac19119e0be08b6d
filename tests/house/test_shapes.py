"""Shapes in signatures are more than comments: what tests run in their own process is checked."""

from __future__ import annotations

import pytest
import torch
from jaxtyping import TypeCheckError

from flamingo.model.feed_forward import squared_relu
from flamingo.training.objective import next_token_loss


def test_a_wrong_shape_is_refused() -> None:
    logits, tokens = torch.zeros(2, 5, 7), torch.zeros(2, 5, dtype=torch.long)
    assert next_token_loss(logits, tokens, torch.ones(2, 5)) > 0
    with pytest.raises(TypeCheckError, match="loss_weights"):
        next_token_loss(logits, tokens, torch.ones(2, 4))
    with pytest.raises(TypeCheckError, match="squared_relu"):
        squared_relu(torch.zeros(3, dtype=torch.long))
