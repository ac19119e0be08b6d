"""What an evaluation holds fast: these episodes."""

from __future__ import annotations

from flamingo import FlamingoConfig
from flamingo.evaluation.identity import _ADDED_LATER, _inputs_sha256, task_fingerprints
from tests.evaluation.toy_task import ToyTask
from tests.tiny_predictor import tiny_predictor


def test_other_pictures_are_other_episodes() -> None:
    first = task_fingerprints({"colors": ToyTask()}, seed=0)
    assert first == task_fingerprints({"colors": ToyTask()}, seed=0)
    assert first != task_fingerprints({"colors": ToyTask()}, seed=1)
    assert first != task_fingerprints({"colors": ToyTask(num_frames=2)}, seed=0)
    assert first != task_fingerprints({"colors": ToyTask(chance=0.5)}, seed=0)


def test_settings_that_came_later_change_nothing_where_they_are_not_used() -> None:
    usual = FlamingoConfig().to_dict()
    assert {name: usual[name] for name in _ADDED_LATER} == _ADDED_LATER
    predictor = tiny_predictor()
    before = _inputs_sha256(predictor)
    for name in _ADDED_LATER:
        delattr(predictor.model.config, name)
    assert _inputs_sha256(predictor) == before
    predictor.model.config.xattn_norm = "rms"
    assert _inputs_sha256(predictor) != before
