"""Many cells of a results table at once: tasks by shots by controls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from flamingo.evaluation.controls import CONTROLS, NONE, applies
from flamingo.evaluation.prediction import Place, Prediction
from flamingo.evaluation.runner import ask
from flamingo.evaluation.task import DamagedQuery, Task
from flamingo.evaluation.workers import in_processes
from flamingo.foundation.errors import ConfigError
from flamingo.inference.predictor import Predictor
from flamingo.inference.visual_memory import VisualMemory
from flamingo.sequence import Visual

BLOCK = 16
"""Queries of a task that are asked together, at all numbers of shots: few enough for memory, and
enough for a batch. Always cut at the same places, so that a resumed run asks the same batches,
unless its largest number of shots is another: last bits may differ then."""

Bench = Callable[[], tuple[Predictor, Mapping[str, Task[Any]]]]
"""Loads a model and its tasks; it can be pickled."""


@dataclass(frozen=True)
class Limits:
    """What a task has to offer.

    Args:
        num_queries: how many there are; None if more can always be drawn.
        max_shots: the largest number of shots that makes sense; None if any does.
    """

    num_queries: int | None = None
    max_shots: int | None = None


@dataclass(frozen=True)
class Sweep:
    """What is asked.

    Args:
        tasks: names.
        shots: numbers of supports.
        controls: see `controls`; "none" is the score itself.
        control_shots: those of `shots` at which the other controls are asked; all if not given.
        num_queries: per task, shots and control, where the task has as many; None for all.
        seed: of queries and supports.
        max_new_tokens: an open answer that is longer is cut; None for each task's own length.
        num_orders: see `ask`.
        batch_size: queries that are asked together.
        limits: of the tasks that have some.
    """

    tasks: tuple[str, ...]
    shots: tuple[int, ...]
    controls: tuple[str, ...] = (NONE,)
    control_shots: tuple[int, ...] | None = None
    num_queries: int | None = 100
    seed: int = 0
    max_new_tokens: int | None = None
    num_orders: int = 1
    batch_size: int = BLOCK
    limits: Mapping[str, Limits] = field(default_factory=dict)

    def cells(self, task: str) -> list[tuple[int, str]]:
        """Shots and control of each cell of a task, without those where a control does nothing."""
        most = self.limits.get(task, Limits()).max_shots
        return [
            (number, control)
            for control in self.controls
            for number in self._shots_of(control)
            if (most is None or number <= most) and applies(control, number)
        ]

    def indices(self, task: str) -> range:
        """The queries of a task.

        Raises:
            ConfigError: all of them are asked for, but there is no end of them.
        """
        there_are = self.limits.get(task, Limits()).num_queries
        if there_are is None and self.num_queries is None:
            raise ConfigError(
                f"All queries of {task} are asked for, but more can always be drawn.\n"
                "Say how many: --queries N."
            )
        counts = [number for number in (there_are, self.num_queries) if number is not None]
        return range(min(counts))

    def left_out(self) -> dict[str, list[int]]:
        """By task the numbers of shots that it does not go up to."""
        above = {
            name: [n for n in self.shots if limit.max_shots is not None and n > limit.max_shots]
            for name, limit in self.limits.items()
            if name in self.tasks
        }
        return {name: numbers for name, numbers in above.items() if numbers}

    def __len__(self) -> int:
        """How many queries there are in all."""
        return sum(len(self.cells(task)) * len(self.indices(task)) for task in self.tasks)

    def _shots_of(self, control: str) -> tuple[int, ...]:
        if control == NONE or self.control_shots is None:
            return self.shots
        return tuple(number for number in self.shots if number in self.control_shots)


@dataclass(frozen=True)
class Block:
    """Some queries of one task.

    Args:
        task: its name.
        indices: the queries.
        missing: for each cell the queries that have no answer yet.
    """

    task: str
    indices: range
    missing: Mapping[tuple[int, str], Sequence[int]]


def widened(sweep: Sweep, done: Iterable[Place], known: Sequence[str]) -> Sweep:
    """The sweep with all else that was answered, in an order that does not hang on the sweep.

    It may have cells that nobody asked for: not each task needs all numbers of shots.

    Args:
        sweep: what is asked now.
        done: what was answered, by this sweep or by others.
        known: all tasks in their order; what was answered of others is left out.
    """
    cells = {(task, *cell) for task in sweep.tasks for cell in sweep.cells(task)}
    cells |= {
        (task, shots, control)
        for task, shots, control, _ in done
        if task in known and control in CONTROLS
    }
    tasks, controls = {cell[0] for cell in cells}, {cell[2] for cell in cells}
    return replace(
        sweep,
        tasks=tuple(name for name in known if name in tasks),
        shots=tuple(sorted({shots for _, shots, _ in cells})),
        controls=tuple(name for name in CONTROLS if name in controls),
        control_shots=tuple(sorted({n for _, n, control in cells if control != NONE})) or None,
    )


def missing_blocks(sweep: Sweep, done: Collection[Place]) -> list[Block]:
    """All of a sweep that is not in `done`."""
    blocks = []
    for task in sweep.tasks:
        everything, cells = sweep.indices(task), sweep.cells(task)
        for start in range(0, len(everything), sweep.batch_size):
            indices = everything[start : start + sweep.batch_size]
            missing = {
                cell: [index for index in indices if (task, *cell, index) not in done]
                for cell in cells
            }
            missing = {cell: left for cell, left in missing.items() if left}
            if missing:
                blocks.append(Block(task, indices, missing))
    return blocks


def answered(
    sweep: Sweep, blocks: Sequence[Block], bench: Bench, num_processes: int
) -> Generator[list[Prediction], None, None]:
    """The predictions of the blocks, piece by piece, the same ones for any number of processes."""
    if num_processes == 1:
        asker = Asker(sweep, *bench())
        for block in blocks:
            yield from asker.pieces(block)
    else:
        yield from in_processes(_Start(sweep, bench), blocks, num_processes)


@dataclass(frozen=True)
class _Start:
    """Loads the bench in a process that answers blocks."""

    sweep: Sweep
    bench: Bench

    def __call__(self) -> Callable[[Block], list[Prediction]]:
        asker = Asker(self.sweep, *self.bench())
        return lambda block: [one for piece in asker.pieces(block) for one in piece]


MOST_SHARED = 4096
"""Visuals that a task's queries share, which are looked at beforehand, and remembered."""


class Asker:
    """Asks a model the blocks of a sweep.

    Args:
        sweep: what is asked.
        predictor: the model.
        tasks: by name.
    """

    def __init__(self, sweep: Sweep, predictor: Predictor, tasks: Mapping[str, Task[Any]]) -> None:
        self.sweep, self.predictor, self.tasks = sweep, predictor, tasks
        self._shared: tuple[str, VisualMemory] | None = None

    def pieces(self, block: Block) -> Iterator[list[Prediction]]:
        """The missing predictions of a block, cell by cell; each visual is encoded once.

        A cell of which some are missing is asked as a whole: in a smaller batch, the last bits of
        an answer could be others.
        """
        sweep, task = self.sweep, self.tasks[block.task]
        memory = self.predictor.visual_memory(self._known(task))
        # All that the block shows, missing or not: which visuals are encoded in one batch, and so
        # their last bits, are then the same in a run that was resumed. Fewer shots show the same;
        # larger ones that are added later make other batches.
        memory.see(self._shown(task, block.indices))
        for (number, control), missing in block.missing.items():
            found = ask(
                self.predictor,
                task,
                block.indices,
                num_shots=number,
                seed=sweep.seed,
                control=control,
                num_orders=sweep.num_orders,
                max_new_tokens=sweep.max_new_tokens,
                memory=memory,
            )
            yield [one for one in found if one.index in missing]

    def _shown(self, task: Task[Any], indices: Sequence[int]) -> Iterator[Visual]:
        """All visuals of some queries, at the largest number of shots, one by one."""
        most = max(number for number, _ in self.sweep.cells(task.name))
        for index in indices:
            try:
                episode = task.build(self.sweep.seed, index, most)
            except DamagedQuery:
                # Told, or left out, when it is asked.
                continue
            yield from task.prompt(episode).visuals

    def _known(self, task: Task[Any]) -> VisualMemory | None:
        """The support set of the task, if its visuals are fewer than will be shown."""
        if self._shared is not None and self._shared[0] == task.name:
            return self._shared[1]
        shared = list(islice(task.shared_visuals(), MOST_SHARED + 1))
        most = max(number for number, _ in self.sweep.cells(task.name))
        num_shown = most * len(self.sweep.indices(task.name))
        if not 0 < len(shared) <= min(MOST_SHARED, num_shown):
            return None
        # Of one task at a time: there are hundreds of megabytes of them.
        memory = self.predictor.visual_memory()
        memory.see(shared)
        self._shared = task.name, memory
        return memory
