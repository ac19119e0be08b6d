"""What must not change between the answers of one evaluation: the weights, and the episodes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flamingo.evaluation.sweep import Sweep
from flamingo.evaluation.task import Task
from flamingo.inference.predictor import Predictor
from flamingo.model.weights_identity import weights_sha256

_SHOTS = 2

_ADDED_LATER: Mapping[str, Any] = {
    "gate_shape": "scalar",
    "has_changed_table": False,
    "resampler_activation": None,
    "resampler_local_latents": 0,
    "resampler_positions": 0,
    "resampler_qk_norm": None,
    "xattn_activation": None,
    "xattn_ffw_dim": None,
    "xattn_norm": "layer",
    "xattn_norm_eps": 1e-05,
    "xattn_offset": 0,
    "xattn_qk_norm": None,
    "xattn_visual_norm": True,
}
"""Settings of models that came when evaluations existed, at the values that change nothing. They
are left out, so that what was asked before they came goes on."""


def evaluation_settings(
    predictor: Predictor, tasks: Mapping[str, Task[Any]], sweep: Sweep
) -> dict[str, Any]:
    """What all answers in one folder have in common, see `Journal`."""
    return {
        "model_sha256": weights_sha256(predictor.model),
        # Another kind of device rounds otherwise.
        "device": predictor.model.device.type,
        "seed": sweep.seed,
        "queries": sweep.num_queries,
        "max_new_tokens": sweep.max_new_tokens,
        "orders": sweep.num_orders,
        "batch_size": sweep.batch_size,
        "inputs_sha256": _inputs_sha256(predictor),
        "episodes": task_fingerprints(tasks, sweep.seed),
    }


def _inputs_sha256(predictor: Predictor) -> str:
    """A hash of what stands between a prompt and the weights: how pixels and words are prepared."""
    processor = predictor.processor
    config = predictor.model.config.to_dict()
    told = (
        processor.image_processor.to_dict(),
        processor.tokenizer.get_vocab(),
        {n: v for n, v in config.items() if n not in _ADDED_LATER or v != _ADDED_LATER[n]},
        predictor.model.generation_config.to_dict(),
    )
    # As JSON: the order of a dictionary's entries means nothing.
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def task_fingerprints(tasks: Mapping[str, Task[Any]], seed: int) -> dict[str, str]:
    """By task a hash of its first episode, pictures and all, and of what else decides them."""
    return {name: _fingerprint(task, seed) for name, task in tasks.items()}


def _fingerprint(task: Task[Any], seed: int) -> str:
    shots = _SHOTS if task.max_shots is None else min(_SHOTS, task.max_shots)
    episode = task.build(seed, 0, shots)
    prompt = task.prompt(episode)
    seen = [visual.fingerprint() for visual in prompt.visuals]
    # A task of files is told apart by its identity, and may be scored by another metric later.
    chances = () if task.identity else (task.chance_at(0), task.chance_at(shots))
    key = (prompt.text, seen, episode.references, episode.candidates, chances, task.identity)
    return hashlib.blake2b(repr(key).encode(), digest_size=16).hexdigest()
