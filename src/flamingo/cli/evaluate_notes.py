"""What a reader of an evaluation's scores must know, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamingo.evaluation.sweep import Sweep
    from flamingo.evaluation.task import Task


def hidden(tasks: Mapping[str, Task[Any]]) -> list[str]:
    """What comes of tasks whose answers are hidden."""
    from flamingo.evaluation.benchmarks.task import BenchmarkTask

    notes = []
    for name, task in tasks.items():
        if isinstance(task, BenchmarkTask) and not task.is_scored:
            form = task.benchmark.submission
            other = f"Ask another part of it for one: --part {name}=PART."
            what = (
                "a file to hand in once all is asked" if form else f"only its predictions. {other}"
            )
            notes.append(f"The right answers of {name} are hidden: it has no score, but {what}.")
    return notes


def asked_as(tasks: Mapping[str, Task[Any]]) -> list[str]:
    """Which benchmarks were asked with other prompts than their own."""
    from flamingo.evaluation.benchmarks.own_prompts import whose_prompts
    from flamingo.evaluation.benchmarks.task import THE_BENCHMARKS

    found: dict[str, list[str]] = {}
    for name, task in tasks.items():
        found.setdefault(whose_prompts(task).get("prompts", THE_BENCHMARKS), []).append(name)
    return [
        f"The prompts of {', '.join(names)} are {whose}."
        for whose, names in found.items()
        if whose != THE_BENCHMARKS
    ]


def unscored(reasons: Mapping[tuple[str, int, str], str]) -> list[str]:
    """Which cells have no score, though all was answered; by cell the reason."""
    return [
        f"{task} at {shots} shots ({control}) is answered, but has no score: {reason}"
        for (task, shots, control), reason in reasons.items()
    ]


def left_out(sweep: Sweep) -> list[str]:
    """Which numbers of shots are too many for a task."""
    return [
        f"{name} was not asked with {', '.join(map(str, numbers))} shots: at most "
        f"{sweep.limits[name].max_shots} are asked, as in the paper."
        for name, numbers in sweep.left_out().items()
    ]
