"""Equal weights have one hash, others another."""

from __future__ import annotations

import torch
from torch import nn

from flamingo.model.weights_identity import weights_sha256, weights_stamp


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


def test_a_stamp_is_another_one_after_every_way_of_writing() -> None:
    layer = nn.Linear(3, 2)
    stamps = [weights_stamp(layer)]
    with torch.no_grad():
        layer.weight.mul_(2)
    stamps.append(weights_stamp(layer))
    layer.weight.data.add_(1)
    stamps.append(weights_stamp(layer))
    layer.load_state_dict(nn.Linear(3, 2).state_dict())
    stamps.append(weights_stamp(layer))
    layer.weight = nn.Parameter(layer.weight.detach().clone())
    stamps.append(weights_stamp(layer))
    assert len(set(stamps)) == len(stamps)
    assert weights_stamp(layer) == stamps[-1]
