"""The update rule: AdamW, or Muon for hidden matrices with AdamW for the rest."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from flamingo.foundation.errors import ConfigError
from flamingo.training.config import TrainingConfig
from flamingo.training.parameter_groups import ParameterGroup, parameter_groups
from flamingo.training.schedule import learning_rate_factor


class Optimizers:
    """One or two torch optimizers that together own every trained parameter once.

    Raises:
        ConfigError: the model has no trained parameter.
    """

    def __init__(self, model: nn.Module, config: TrainingConfig) -> None:
        self.config = config
        self.groups = parameter_groups(model, config)
        if not self.groups:
            raise ConfigError(
                "No parameter of the model is trained: every one has requires_grad=False. "
                "Unfreeze the parts that should learn."
            )
        self.parameters = [p for group in self.groups for p in group.parameters]
        plain = [_as_torch(group) for group in self.groups if not group.is_muon]
        muon = [_as_torch(group) for group in self.groups if group.is_muon]
        self.parts: list[torch.optim.Optimizer] = []
        if plain:
            self.parts.append(
                torch.optim.AdamW(
                    plain, lr=config.learning_rate, betas=config.betas, eps=config.eps, fused=True
                )
            )
        if muon:
            # This adjustment gives Muon's updates AdamW's size, so one learning rate serves both.
            self.parts.append(
                torch.optim.Muon(muon, lr=config.learning_rate, adjust_lr_fn="match_rms_adamw")
            )

    def step(self, step: int) -> float:
        """Makes update number `step` (from 0) and returns its learning rate."""
        rate = self.config.learning_rate * learning_rate_factor(step, self.config)
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate * group["learning_rate_multiplier"]
            part.step()
        return rate

    def zero_grad(self) -> None:
        """Forgets the gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """The state of every part, made of tensors and plain values only."""
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Takes back what `state_dict` gave."""
        for part, state in zip(self.parts, states, strict=True):
            part.load_state_dict(state)


def _as_torch(group: ParameterGroup) -> dict[str, Any]:
    return {
        "params": group.parameters,
        "group_name": group.name,
        "weight_decay": group.weight_decay,
        "learning_rate_multiplier": group.learning_rate_multiplier,
    }
