"""Processes that begin quickly: what they need is imported once, by the one that forks them.

From elsewhere than the project's folder they begin as slowly as any, since Python 3.11 looks for
what is to be imported beforehand in the current folder alone.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

START_METHOD = "forkserver"
_CONTEXT = multiprocessing.get_context(START_METHOD)
_CONTEXT.set_forkserver_preload(
    ["tests.training.flamingo_run", "tests.training.towers_on_two_processes"]
)


def run_all(
    work: Callable[..., None], args: Sequence[Any], environments: Sequence[Mapping[str, str]]
) -> list[int | None]:
    """Runs a function in a process of its own per environment, in silence; the exit statuses.

    A process that was killed has the signal's number, negative, and one that hangs has None.
    """
    processes = [_CONTEXT.Process(target=_run, args=(work, args, own)) for own in environments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=150)
    statuses = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
    return statuses


def _run(work: Callable[..., None], args: Sequence[Any], environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    work(*args)
