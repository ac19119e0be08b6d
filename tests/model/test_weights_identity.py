"""Equal weights have one hash, others another."""

from __future__ import annotations

import torch
from torch import nn

from flamingo.model.weights_identity import weights_sha256


def test_equal_weights_have_one_hash_and_other_weights_another() -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    other = nn.Linear(3, 2)
    other.load_state_dict(model.state_dict())
    assert weights_sha256(other) == weights_sha256(model)
    with torch.no_grad():
        other.bias[1] += 1e-6
    assert weights_sha256(other) != weights_sha256(model)
    assert weights_sha256(model.to(torch.bfloat16)) != weights_sha256(other)
