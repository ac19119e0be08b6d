"""Runs one function over many items: in processes of this machine, or on a Ray cluster."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol, TypeVar, runtime_checkable

from flamingo.data.collection.extras import needs_ray
from flamingo.foundation.errors import ConfigError, DataError, nearest

Item = TypeVar("Item")
Result = TypeVar("Result")

_PER_PROCESS = 4
"""Items that wait for each process: enough that none is idle, few enough to stop soon."""


@runtime_checkable
class Engine(Protocol):
    """Where work is done."""

    def run(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """The number of each item and what became of it, in the order in which they are done.

        Args:
            function: can be pickled, writes nothing but files that it makes whole or not at all,
                and gives the same for the same item wherever it runs.
            items: can be pickled.

        Raises:
            DataError: a process was killed.
        """


class LocalEngine:
    """Processes of this machine.

    Args:
        processes: how many; with one, the work is done in this process.

    Raises:
        ConfigError: `processes` is below 1.
    """

    def __init__(self, processes: int) -> None:
        if processes < 1:
            raise ConfigError(f"processes is {processes}, but must be at least 1.")
        self.processes = processes

    def run(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """See `Engine`."""
        if self.processes == 1 or len(items) < 2:
            for number, item in enumerate(items):
                yield number, function(item)
            return
        # Not forked: libraries with threads of their own do not survive that.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self.processes, mp_context=context) as pool:
            try:
                yield from _spread(pool, function, items, self.processes * _PER_PROCESS)
            except BrokenProcessPool as error:
                raise DataError(
                    "One of the processes was killed, perhaps for want of memory.\n"
                    "What is done is kept: run the same again, with fewer processes."
                ) from error
            finally:
                pool.shutdown(cancel_futures=True)


def _spread(
    pool: ProcessPoolExecutor,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    most_waiting: int,
) -> Iterator[tuple[int, Result]]:
    """Hands items out as others are done, so that millions of them are never queued at once."""
    waiting: dict[Any, int] = {}
    numbers = iter(range(len(items)))
    for number in numbers:
        waiting[pool.submit(function, items[number])] = number
        if len(waiting) < most_waiting:
            continue
        done = next(as_completed(waiting))
        yield waiting.pop(done), done.result()
    for done in as_completed(list(waiting)):
        yield waiting[done], done.result()


class RayEngine:
    """Tasks of Ray Data, on the cluster that `ray` finds, or on this machine.

    Args:
        processes: tasks at a time; as many as there are cores where None.
        address: of a cluster, such as "auto"; None starts Ray on this machine.

    Raises:
        ConfigError: Ray is not installed.
    """

    def __init__(self, processes: int | None = None, address: str | None = None) -> None:
        needs_ray()
        self.processes, self.address = processes, address

    def run(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """See `Engine`."""
        import ray
        import ray.data

        if not ray.is_initialized():
            ray.init(address=self.address, num_cpus=self.processes, log_to_driver=False)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        numbered = [{"number": number, "item": item} for number, item in enumerate(items)]
        # One block for each item: a piece of work is large beside what starting it costs.
        dataset = ray.data.from_items(numbered, override_num_blocks=max(1, len(numbered)))
        for row in dataset.map(_Numbered(function)).iter_rows():
            yield int(row["number"]), row["result"]


class _Numbered:
    """A function over rows of Ray."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"number": row["number"], "result": self.function(row["item"])}


ENGINES = ("local", "ray")


def engine_named(name: str, processes: int | None) -> Engine:
    """The engine of this name.

    Args:
        name: one of `ENGINES`.
        processes: how many; as many as there are cores where None.

    Raises:
        ConfigError: there is none of this name, or it is not installed.
    """
    if name == "local":
        return LocalEngine(multiprocessing.cpu_count() if processes is None else processes)
    if name == "ray":
        return RayEngine(processes)
    raise ConfigError(f"There is no engine {name!r}. {nearest(name, ENGINES)}")
