"""The same work on many items in several processes, results in the order of the items."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from flamingo.foundation.devices import set_threads
from flamingo.foundation.errors import FlamingoError

Item = TypeVar("Item")
Result = TypeVar("Result")
Start = Callable[[], Callable[[Item], Result]]
"""Loads what the work needs, and gives the work; it can be pickled."""


class WorkerError(FlamingoError):
    """A process that did a part of the work failed or was ended from outside."""


def in_processes(
    start: Start[Item, Result], items: Sequence[Item], num_processes: int
) -> Iterator[Result]:
    """Yields the result of each item, in order.

    Each process has one thread, and gets its next item when it has done one. When the caller stops
    early, for whatever reason, the processes are ended; when the caller is killed, they end.

    Args:
        start: called once in each process.
        items: can be pickled, as can their results.
        num_processes: no more are started than there are items.

    Raises:
        WorkerError: a process failed, or was ended.
        FlamingoError: `start` or the work raised it.
    """
    workers = [_Worker(start) for _ in range(min(num_processes, len(items)))]
    try:
        yield from _results(workers, items)
    finally:
        for worker in workers:
            worker.end()


def _results(workers: Sequence[_Worker], items: Sequence[Item]) -> Iterator[Any]:
    waiting = iter(enumerate(items))
    busy = {worker.connection: worker for worker in workers if worker.take(next(waiting, None))}
    done: dict[int, tuple[Any, Exception | None]] = {}
    for number in range(len(items)):
        while number not in done:
            for connection in wait(list(busy)):
                worker = busy[connection]  # type: ignore[index]
                found, result, error = worker.result()
                done[found] = result, error
                if not worker.take(next(waiting, None)):
                    del busy[connection]  # type: ignore[arg-type]
        result, error = done.pop(number)
        # Raised in its turn: what came before it has been handed on by now.
        if error is not None:
            raise error
        yield result


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Holds Ctrl-C back, for good in processes that are started here."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """One process, and our end of the line to it."""

    def __init__(self, start: Callable[[], Callable[[Any], Any]]) -> None:
        # Not forked: threads of torch do not survive that.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(start, theirs))
        self.process.daemon = True
        # Ctrl-C is for us alone, also while the process is not yet where it can ignore it.
        with without_interrupts():
            self.process.start()
        theirs.close()

    def take(self, item: tuple[int, Any] | None) -> bool:
        """Hands over the next item, if there is one."""
        if item is None:
            return False
        try:
            self.connection.send(item)
        except (BrokenPipeError, ConnectionResetError):
            raise self._ended() from None
        return True

    def result(self) -> tuple[int, Any, Exception | None]:
        """An item's number with its result, or with the error that came instead."""
        try:
            message: tuple[int, Any, Exception | None] = self.connection.recv()
        except (EOFError, ConnectionResetError):
            raise self._ended() from None
        return message

    def end(self) -> None:
        """Ends the process, whatever it is doing."""
        self.connection.close()
        self.process.terminate()
        self.process.join()

    def _ended(self) -> WorkerError:
        self.process.join()
        return WorkerError(
            f"A process of the evaluation ended before its work was done (exit code "
            f"{self.process.exitcode}), perhaps for want of memory.\nWhat was answered is kept: "
            "give the same command again to go on, with fewer --processes if memory is short."
        )


def _serve(start: Callable[[], Callable[[Any], Any]], connection: Connection) -> None:
    """What a process does: one item after the other, until the line is closed."""
    # Ctrl-C reaches all processes of a terminal; the first of them decides for the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    set_threads(1)
    quiet_libraries()
    work: Callable[[Any], Any] | None = None
    while True:
        try:
            number, item = connection.recv()
        except (EOFError, ConnectionResetError):
            return
        result, error = None, None
        try:
            work = work or start()
            result = work(item)
        except FlamingoError as expected:
            error = expected
        except Exception:
            error = WorkerError(f"A process of the evaluation failed:\n{traceback.format_exc()}")
        try:
            connection.send((number, result, error))
        except (BrokenPipeError, ConnectionResetError):
            return


def end_with_parent() -> None:
    """Ends this process when its parent is gone; for a thread of a process that serves another.

    It would otherwise first finish what nobody waits for.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def quiet_libraries() -> None:
    """For a process beside others: their bars of loaded weights would run into each other."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
