"""What an evaluation holds fast: these weights, these episodes."""

from __future__ import annotations

import torch
from torch import nn

from flamingo.evaluation.identity import task_fingerprints, weights_sha256
from tests.evaluation.toy_task import ToyTask


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


def test_other_pictures_are_other_episodes() -> None:
    first = task_fingerprints({"colors": ToyTask()}, seed=0)
    assert first == task_fingerprints({"colors": ToyTask()}, seed=0)
    assert first != task_fingerprints({"colors": ToyTask()}, seed=1)
    assert first != task_fingerprints({"colors": ToyTask(num_frames=2)}, seed=0)
    assert first != task_fingerprints({"colors": ToyTask(chance=0.5)}, seed=0)
