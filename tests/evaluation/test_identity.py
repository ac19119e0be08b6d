"""What an evaluation holds fast: these episodes."""

from __future__ import annotations

from flamingo.evaluation.identity import task_fingerprints
from tests.evaluation.toy_task import ToyTask


def test_other_pictures_are_other_episodes() -> None:
    first = task_fingerprints({"colors": ToyTask()}, seed=0)
    assert first == task_fingerprints({"colors": ToyTask()}, seed=0)
    assert first != task_fingerprints({"colors": ToyTask()}, seed=1)
    assert first != task_fingerprints({"colors": ToyTask(num_frames=2)}, seed=0)
    assert first != task_fingerprints({"colors": ToyTask(chance=0.5)}, seed=0)
