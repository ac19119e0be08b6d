"""Many cells of a results table at once: tasks by shots by controls."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flamingo.evaluation.controls import CONTROLS, NONE, applies
from flamingo.evaluation.runner import MAX_NEW_TOKENS, Prediction, ask
from flamingo.evaluation.task import Task
from flamingo.evaluation.workers import in_processes
from flamingo.inference.predictor import Predictor

_BLOCK = 16
"""Queries of a task that are asked together, at all numbers of shots: few enough for memory, and
enough for a batch. Always cut at the same places, so that a resumed run asks the same batches,
unless its largest number of shots is another: last bits may differ then."""

Place = tuple[str, int, str, int]
"""Task, shots, control and index: what names a prediction."""

Bench = Callable[[], tuple[Predictor, Mapping[str, Task[Any]]]]
"""Loads a model and its tasks; it can be pickled."""


@dataclass(frozen=True)
class Sweep:
    """What is asked.

    Args:
        tasks: names.
        shots: numbers of supports.
        controls: see `controls`; "none" is the score itself.
        control_shots: those of `shots` at which the other controls are asked; all if not given.
        num_queries: per task, shots and control.
        seed: of queries and supports.
        max_new_tokens: an open answer that is longer is cut.
    """

    tasks: tuple[str, ...]
    shots: tuple[int, ...]
    controls: tuple[str, ...] = (NONE,)
    control_shots: tuple[int, ...] | None = None
    num_queries: int = 100
    seed: int = 0
    max_new_tokens: int = MAX_NEW_TOKENS

    def cells(self) -> list[tuple[int, str]]:
        """Shots and control of each cell of a task, without those where a control does nothing."""
        controlled = self.shots if self.control_shots is None else self.control_shots
        return [
            (number, control)
            for control in self.controls
            for number in self.shots
            if control == NONE or (number in controlled and applies(control, number))
        ]

    def __len__(self) -> int:
        """How many queries there are in all."""
        return len(self.tasks) * len(self.cells()) * self.num_queries


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
    cells = {(task, *cell) for task in sweep.tasks for cell in sweep.cells()}
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


def missing_blocks(sweep: Sweep, done: set[Place]) -> list[Block]:
    """All of a sweep that is not in `done`."""
    blocks = []
    for task in sweep.tasks:
        for start in range(0, sweep.num_queries, _BLOCK):
            indices = range(start, min(start + _BLOCK, sweep.num_queries))
            missing = {
                cell: [index for index in indices if (task, *cell, index) not in done]
                for cell in sweep.cells()
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


@dataclass(frozen=True)
class Asker:
    """Asks a model the blocks of a sweep."""

    sweep: Sweep
    predictor: Predictor
    tasks: Mapping[str, Task[Any]]

    def pieces(self, block: Block) -> Iterator[list[Prediction]]:
        """The missing predictions of a block, cell by cell; each visual is encoded once.

        A cell of which some are missing is asked as a whole: in a smaller batch, the last bits of
        an answer could be others.
        """
        sweep, task = self.sweep, self.tasks[block.task]
        memory = self.predictor.visual_memory()
        # All that the block shows, missing or not: which visuals are encoded in one batch, and so
        # their last bits, are then the same in a run that was resumed. Fewer shots show the same;
        # larger ones that are added later make other batches.
        prompts = (
            task.prompt(task.build(sweep.seed, index, max(sweep.shots))) for index in block.indices
        )
        memory.see(visual for prompt in prompts for visual in prompt.visuals)
        for (number, control), missing in block.missing.items():
            found = ask(
                self.predictor,
                task,
                block.indices,
                num_shots=number,
                seed=sweep.seed,
                control=control,
                max_new_tokens=sweep.max_new_tokens,
                memory=memory,
            )
            yield [one for one in found if one.index in missing]
