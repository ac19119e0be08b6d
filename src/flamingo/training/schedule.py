"""The learning rate as a function of the step: linear warm-up, then constant or falling."""

from __future__ import annotations

import math

from flamingo.training.config import TrainingConfig


def learning_rate_factor(step: int, config: TrainingConfig) -> float:
    """The part of `config.learning_rate` that update number `step` (from 0) uses.

    Warm-up rises from 0 (before the first update) to 1 (at update `warmup_steps`), so no
    update is spent on a rate of exactly zero.

    Paper: App. B.1.2 (0 → 1e-4 in 5,000 steps, then constant; decay gave nothing), App. B.2.2
    (fine-tuning falls by factors of 10).
    """
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    if config.schedule == "constant":
        return 1.0
    if config.schedule == "steps":
        return float(config.decay_factor ** sum(step >= at for at in config.decay_at))
    num_after_warmup = max(config.steps - config.warmup_steps, 1)
    num_decay = min(config.decay_steps or num_after_warmup, num_after_warmup)
    progress = (step + 1 - (config.steps - num_decay)) / num_decay
    progress = min(max(progress, 0.0), 1.0)
    fall = (1 + math.cos(math.pi * progress)) / 2 if config.schedule == "cosine" else 1 - progress
    floor = config.final_learning_rate_fraction
    return floor + (1 - floor) * fall
