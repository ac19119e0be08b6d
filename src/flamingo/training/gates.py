"""How far the tanh gates have opened, layer by layer, while a run goes on."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from flamingo.model.gated_xattn_dense import gate_opening
from flamingo.training.parallelism import full_tensor
from flamingo.training.reporting import Probe, StepReport


def gate_openings(model: nn.Module) -> dict[str, float]:
    """|tanh α| of every gate of a model, by the parameter's name.

    Paper: Fig. 6 (absolute value of the gates at every layer during training).
    """
    return {
        f"gates/{name}": gate_opening(full_tensor(parameter.detach()))
        for name, parameter in model.named_parameters()
        if name.rpartition(".")[2].startswith("alpha_")
    }


def watch_gates(every: int = 100) -> Probe:
    """A probe that writes the gates' openings into the log, every so many steps."""

    def probe(report: StepReport) -> Mapping[str, float] | None:
        return gate_openings(report.model) if report.step % every == 0 else None

    return probe
