"""The update rule: AdamW, or Muon for hidden matrices with AdamW for the rest."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

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
        self.named = {
            name: parameter
            for group in self.groups
            for name, parameter in zip(group.names, group.parameters, strict=True)
        }
        self.parameters = list(self.named.values())
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

    def tensors(self) -> dict[str, Tensor]:
        """The state itself, by name; what has not been needed yet is made now, as zeros.

        What is copied into these tensors is the state from then on.
        """
        names = {parameter: name for name, parameter in self.named.items()}
        found: dict[str, Tensor] = {}
        for part in self.parts:
            for parameter in (p for group in part.param_groups for p in group["params"]):
                state = part.state[parameter]
                if not state:
                    state.update(_fresh_state(part, parameter))
                for key, value in state.items():
                    found[f"{key}/{names[parameter]}"] = value
        return found


def _fresh_state(part: torch.optim.Optimizer, parameter: nn.Parameter) -> dict[str, Tensor]:
    """What an optimizer would begin with at its first update."""
    if isinstance(part, torch.optim.AdamW):
        return {
            "step": torch.zeros((), device=parameter.device),
            "exp_avg": torch.zeros_like(parameter, requires_grad=False),
            "exp_avg_sq": torch.zeros_like(parameter, requires_grad=False),
        }
    return {"momentum_buffer": torch.zeros_like(parameter, requires_grad=False)}


def _as_torch(group: ParameterGroup) -> dict[str, Any]:
    return {
        "params": group.parameters,
        "group_name": group.name,
        "weight_decay": group.weight_decay,
        "learning_rate_multiplier": group.learning_rate_multiplier,
    }
