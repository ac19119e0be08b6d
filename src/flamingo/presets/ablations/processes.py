"""Arms in processes of their own, so many at a time; none of them outlives the first process."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from flamingo.evaluation.workers import end_with_parent, quiet_libraries
from flamingo.foundation.devices import set_threads
from flamingo.foundation.errors import FlamingoError
from flamingo.presets.ablations.arms import Arm
from flamingo.presets.ablations.execution import carry_out
from flamingo.training.stopping import StopRequest

OUTPUT, FAILURE = "output.txt", "failure.txt"
_LOOK_EVERY = 1.0
"""Seconds between two looks at how far the arms are."""
_PATIENCE = 60.0
"""Seconds that a process has to write a checkpoint when it is told to stop."""


class Watch:
    """What is told while arms run; the base class keeps it to itself."""

    def started(self, arm: Arm) -> None:
        """A process begins with the arm."""

    def running(self, arms: Sequence[Arm]) -> None:
        """These are at work; called about once a second."""

    def finished(self, arm: Arm) -> None:
        """The arm has left its result."""

    def failed(self, arm: Arm, reason: str) -> None:
        """The arm cannot go on; the others do."""


def carry_out_all(
    arms: Sequence[Arm],
    num_processes: int,
    watch: Watch,
    work: Callable[[Arm], bool] = carry_out,
) -> dict[str, str]:
    """Carries out every arm; those that fail do not hold up the others.

    Whatever ends this call, Ctrl-C and SIGTERM included, ends the processes too, after a
    checkpoint. Only where this process is killed at once, they end without one.

    Args:
        arms: each with a folder of its own.
        num_processes: at a time.
        watch: is told what happens.
        work: what a process does with its arm; can be pickled.

    Returns:
        Why arms failed, by their names.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM.
    """
    with StopRequest() as stop:
        return _carry_out_all(arms, num_processes, watch, work, stop)


def _carry_out_all(
    arms: Sequence[Arm],
    num_processes: int,
    watch: Watch,
    work: Callable[[Arm], bool],
    stop: StopRequest,
) -> dict[str, str]:
    waiting, failures = list(arms), dict[str, str]()
    running: dict[int, tuple[Arm, BaseProcess]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < num_processes:
                arm = waiting.pop(0)
                watch.started(arm)
                process = _start(arm, work)
                running[process.sentinel] = arm, process
            for sentinel in wait(list(running), timeout=_LOOK_EVERY):
                arm, process = running.pop(sentinel)  # type: ignore[arg-type]
                process.join()
                if process.exitcode == 0:
                    watch.finished(arm)
                else:
                    failures[str(arm)] = reason = _reason(arm, process.exitcode)
                    watch.failed(arm, reason)
            watch.running([arm for arm, _ in running.values()])
            # Here and not before: a signal during the last look must not be forgotten.
            if stop.is_made:
                raise KeyboardInterrupt
    finally:
        _end([process for _, process in running.values()])
    return failures


def _start(arm: Arm, work: Callable[[Arm], bool]) -> BaseProcess:
    arm.folder.mkdir(parents=True, exist_ok=True)
    (arm.folder / FAILURE).unlink(missing_ok=True)
    # Not forked: threads of torch do not survive that.
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(arm, work))
    process.daemon = True
    process.start()
    return process


def _end(processes: Sequence[BaseProcess]) -> None:
    """All are told at once, so that they write their checkpoints at the same time."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(_PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()


def _reason(arm: Arm, code: int | None) -> str:
    path = arm.folder / FAILURE
    if path.is_file():
        return path.read_text(encoding="utf-8").strip()
    return f"its process was ended from outside (exit code {code}), perhaps for want of memory"


def _serve(arm: Arm, work: Callable[[Arm], bool]) -> None:
    """What a process does: one arm; what it prints goes to a file of the arm."""
    if hasattr(os, "setpgrp"):
        # Ctrl-C reaches all processes of a terminal's group; the first decides for the others.
        os.setpgrp()
    else:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    set_threads(1)
    with (
        (arm.folder / OUTPUT).open("a", encoding="utf-8") as file,
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        quiet_libraries()
        try:
            is_finished = work(arm)
            reason = None if is_finished else "it was stopped by a signal"
        except FlamingoError as error:
            reason = f"{type(error).__name__}: {error}"
        except Exception as error:
            traceback.print_exc(file=file)
            reason = f"{type(error).__name__}: {error}\nMore is in {arm.folder / OUTPUT}."
    if reason is not None:
        (arm.folder / FAILURE).write_text(reason + "\n", encoding="utf-8")
        sys.exit(1)
