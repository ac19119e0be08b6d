"""What must not change between the answers of one evaluation: the weights, and the episodes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from flamingo.evaluation.task import Task

_SHOTS = 2


def weights_sha256(model: nn.Module) -> str:
    """A hash of all weights as they were loaded: names, number formats, shapes and values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        # As bytes: numpy has no bfloat16.
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def task_fingerprints(tasks: Mapping[str, Task[Any]], seed: int) -> dict[str, str]:
    """By task a hash of its first episode: pictures, text, candidates and chance."""
    return {name: _fingerprint(task, seed) for name, task in tasks.items()}


def _fingerprint(task: Task[Any], seed: int) -> str:
    episode = task.build(seed, 0, _SHOTS)
    prompt = task.prompt(episode)
    seen = [visual.fingerprint() for visual in prompt.visuals]
    chances = (task.chance_at(0), task.chance_at(_SHOTS))
    key = (prompt.text, seen, episode.answer, episode.candidates, chances)
    return hashlib.blake2b(repr(key).encode(), digest_size=16).hexdigest()
