"""The variants of the prompt that `flamingo sensitivity` asks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from flamingo.cli.sensitivity_checks import templates_of
from flamingo.evaluation.sweep import Sweep
from flamingo.evaluation.task import DamagedQuery, Task
from flamingo.evaluation.varied_task import VariedTask
from flamingo.foundation.errors import ConfigError, DataError

Variants = dict[str, VariedTask]
"""A task under each variant, by the name of the variant's folder."""


def variants_of(
    tasks: Mapping[str, Task[Any]], sweep: Sweep, vary: str, number: int
) -> tuple[dict[str, Variants], list[str]]:
    """The variants of each task by the names of their folders, and notes where they are few.

    The first variant is the task itself.

    Args:
        tasks: by name.
        sweep: what is asked of them, at one number of shots.
        vary: "order" or "template".
        number: of variants, at most.

    Raises:
        ConfigError: no task has two variants.
        DataError: the right answers of a task are hidden.
    """
    found: dict[str, Variants] = {}
    notes = []
    for name, task in tasks.items():
        if not task.is_scored:
            raise DataError(
                f"{name} has no score: its right answers are hidden.\n"
                f"Ask another part of it (--part {name}=PART), or leave it out."
            )
        if vary == "template":
            found[name] = _template_variants(task, number)
            continue
        num_supports = _num_supports(task, sweep)
        num_orders = min(number, math.factorial(num_supports))
        if num_orders < 2:
            notes.append(
                f"{name} is left out: it has {num_supports} examples in a prompt of "
                f"{sweep.shots[0]} shots, so there is no other order. Give more --shots."
            )
            continue
        if num_orders < number:
            notes.append(
                f"{name} has {num_supports} examples in a prompt of {sweep.shots[0]} shots, of "
                f"which there are {num_orders} orders, not {number}."
            )
        found[name] = _order_variants(task, num_orders, number)
    if not found:
        told = "\n".join(notes)
        raise ConfigError(f"There is nothing to vary.\n{told}")
    return found, notes


def _order_variants(task: Task[Any], num_orders: int, num_asked: int) -> Variants:
    # Called by the number that was asked for: which orders these are hangs on it.
    return {
        f"order-{k}": VariedTask(task, order=k, num_orders=num_asked) for k in range(num_orders)
    }


def _template_variants(task: Task[Any], number: int) -> Variants:
    # A model may have its own words in place of the first ones.
    _, *others = templates_of(getattr(task, "benchmark", task).template)[:number]
    return {
        f"template-{k}": VariedTask(task, template_variant=one)
        for k, one in enumerate([None, *others])
    }


def _num_supports(task: Task[Any], sweep: Sweep) -> int:
    """Of each prompt; an open question without shots has two as text."""
    for index in sweep.indices(task.name):
        try:
            return len(task.build(sweep.seed, index, sweep.shots[0]).supports)
        except DamagedQuery:
            # Told, or left out, when it is asked.
            continue
    raise DataError(f"No query of {task.name} can be read.\nGet its files anew.")
