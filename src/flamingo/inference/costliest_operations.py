"""Where the time of an answer goes, operation by operation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch.profiler import ProfilerActivity, profile

from flamingo.inference.speed_task import SpeedTask
from flamingo.inference.timed_answers import TimedAnswers
from flamingo.model.flamingo import FlamingoForConditionalGeneration

NUM_STEPS = 3
"""Decoding steps behind the prompt."""


@dataclass(frozen=True)
class Operation:
    """One kind of operation.

    Attributes:
        name: as torch calls it; on a GPU, the name of a kernel.
        calls: how often it ran.
        seconds: in it, without those that it calls.
        share: of all of them.
    """

    name: str
    calls: int
    seconds: float
    share: float


def profile_answer(
    model: FlamingoForConditionalGeneration, task: SpeedTask, path: Path
) -> list[Operation]:
    """Traces one batch of whole prompts and three decoding steps; all operations, costliest first.

    Args:
        model: in evaluation mode; it stays as it is.
        task: what is asked.
        path: for the trace, which chrome://tracing and ui.perfetto.dev show.

    Raises:
        SequenceError: the prompts are longer than the model can read.
    """
    task = replace(task, new_tokens=NUM_STEPS + 1)
    task.check_fits(model)
    answers = TimedAnswers(model, task)
    answers.whole()
    is_cuda = model.device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if is_cuda else [])]
    with profile(activities=activities) as trace:
        answers.whole()
    trace.export_chrome_trace(str(path))
    # On a GPU only kernels count: torch gives a kernel's time to the operation that launched it
    # as well, and it would be in the sum twice.
    kind = "CUDA" if is_cuda else "CPU"
    own: list[Any] = [one for one in trace.key_averages() if one.device_type.name == kind]
    found = {event.key: (event.count, _microseconds(event, is_cuda)) for event in own}
    total = sum(time for _, time in found.values()) or 1.0
    operations = [
        Operation(name, calls, time / 1e6, time / total) for name, (calls, time) in found.items()
    ]
    return sorted(operations, key=lambda one: -one.seconds)


def _microseconds(event: Any, is_cuda: bool) -> float:
    return float(event.self_device_time_total if is_cuda else event.self_cpu_time_total)
