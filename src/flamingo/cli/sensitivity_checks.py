"""What `flamingo sensitivity` cannot ask, told before a model is loaded."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamingo.evaluation.sweep import Sweep
    from flamingo.prompting import Template


def check_options(args: argparse.Namespace, sweep: Sweep) -> None:
    """Refuses options that would be passed over.

    Args:
        args: as they were typed.
        sweep: made of them.

    Raises:
        ConfigError: there is such an option, or not one number of shots, or only one variant.
    """
    from flamingo.evaluation.controls import NONE
    from flamingo.evaluation.ranks import share_of_torchrun
    from flamingo.foundation.errors import ConfigError

    if len(sweep.shots) != 1 or args.variants < 2:
        raise ConfigError(
            f"--shots is {args.shots!r} and --variants {args.variants}.\n"
            "Give one number of shots, and at least two variants."
        )
    if (count := share_of_torchrun().count) > 1:
        raise ConfigError(
            f"torchrun has started {count} processes, but variants are asked by one.\n"
            "Start `flamingo sensitivity` without torchrun."
        )
    useless = {
        "--processes": (args.processes or 1) > 1,
        "--controls": sweep.controls != (NONE,),
        "--control-shots": args.control_shots is not None,
        "--published-protocol": args.published_protocol,
    }
    if given := [option for option, is_given in useless.items() if is_given]:
        raise ConfigError(
            f"{given[0]} is nothing that variants of a prompt can be asked with: they are asked by "
            "one process, without controls, and by our own protocol.\nLeave it out."
        )
    if args.vary == "order" and sweep.num_orders > 1:
        raise ConfigError(
            f"--ensemble {sweep.num_orders} is a mean over orders of the shots, and --vary order "
            "asks what one order does.\nLeave --ensemble out, or vary the template."
        )


def askable(
    names: tuple[str, ...], custom: tuple[Path, ...], shots: int, vary: str
) -> tuple[tuple[str, ...], list[str]]:
    """The tasks that can be asked, and notes on those that cannot.

    Args:
        names: of the tasks.
        custom: YAML files of some of them.
        shots: supports in each prompt.
        vary: "order" or "template".

    Raises:
        ConfigError: one is held out, or none can be asked.
    """
    from flamingo.cli.evaluate_bench import known_benchmarks
    from flamingo.foundation.errors import ConfigError
    from flamingo.miniature.tasks import TASKS

    known: dict[str, Any] = {**known_benchmarks(custom), **TASKS}
    for name in names:
        if known[name].is_held_out:
            raise ConfigError(
                f"{name} is held out: nothing may be chosen by it, and a prompt is a choice.\n"
                "Give development tasks (--tasks dev)."
            )
    reasons = {name: _obstacle(name, known[name], shots, vary) for name in names}
    left = tuple(name for name, reason in reasons.items() if not reason)
    notes = [reason for reason in reasons.values() if reason]
    if not left:
        told = "\n".join(notes)
        raise ConfigError(f"None of the tasks can be asked.\n{told}")
    return left, notes


def templates_of(template: Template) -> tuple[Template, ...]:
    """The template and its rewordings; nothing where there are none."""
    from flamingo.evaluation.prompt_variants import TEMPLATE_VARIANTS

    own = (templates for templates in TEMPLATE_VARIANTS.values() if templates[0] == template)
    return next(own, ())


def _obstacle(name: str, task: Any, shots: int, vary: str) -> str:
    """Why a task cannot be asked; "" if it can."""
    if task.max_shots is not None and shots > task.max_shots:
        return (
            f"{name} is left out: at most {task.max_shots} shots of it are asked, not {shots}. "
            "Give fewer --shots."
        )
    if vary == "template" and not templates_of(task.template):
        return (
            f"{name} is left out: there are no other words for the prompt "
            f"{task.template.prefix!r}. Vary the order of its shots, or take tasks with captions "
            "or questions."
        )
    return ""
