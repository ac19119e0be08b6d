"""Data sets as functions of the step, and batches made ahead of time in their order."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch.utils.data import DataLoader, Dataset

from flamingo.data.skipping import Drawn
from flamingo.foundation.devices import pick_device
from flamingo.foundation.errors import ConfigError
from flamingo.foundation.sharing import EVERYTHING, Share
from flamingo.training.config import TrainingConfig
from flamingo.training.rows import num_rows, rows_of


@runtime_checkable
class Source(Protocol):
    """A data set: a name, the paper's λ, and a batch for every step.

    `batch` must be a pure function of the step (and of the source's own seed). It runs in
    worker processes, in any order; the stream's whole state is then one integer.
    """

    @property
    def name(self) -> str:
        """How reports call it."""
        ...

    @property
    def weight(self) -> float:
        """The paper's λ."""
        ...

    def batch(self, step: int) -> Any:
        """The batch of one step: a mapping or dataclass of tensors, or a `Drawn` one."""
        ...


@runtime_checkable
class SharedSource(Source, Protocol):
    """A source that can make the rows of one process without making those of all others."""

    @property
    def size(self) -> int:
        """Rows of a whole batch."""
        ...

    def share_of_batch(self, step: int, share: Share) -> Any:
        """The rows `share.rows(size)` of `batch(step)`, and the same as there."""
        ...


def batch_of(source: Source, number: int, share: Share = EVERYTHING) -> Drawn:
    """One process's rows of a source's batch, with what was skipped on the way.

    Raises:
        ConfigError: the batch has fewer rows than there are processes.
    """
    if share.count == 1:
        made = source.batch(number)
    elif isinstance(source, SharedSource):
        _check_rows(source.name, source.size, share)
        made = source.share_of_batch(number, share)
    else:
        made = source.batch(number)
    drawn = made if isinstance(made, Drawn) else Drawn(made)
    if share.count == 1 or isinstance(source, SharedSource):
        return drawn
    size = num_rows(drawn.batch)
    _check_rows(source.name, size, share)
    # Every process made the whole batch, but only one may report what it skipped.
    skipped = drawn.skipped if share.index == 0 else ()
    return Drawn(rows_of(drawn.batch, share.rows(size)), skipped)


def _check_rows(name: str, size: int, share: Share) -> None:
    if size % share.count:
        raise ConfigError(
            f"The source {name!r} has {size} rows per update, which {share.count} processes "
            f"cannot divide evenly.\nGive it a batch that is a multiple of {share.count}, or "
            f"start another number of processes."
        )


def check_sources(sources: Sequence[Source]) -> None:
    """Refuses sources that cannot be told apart or that cannot teach.

    Raises:
        ConfigError: no source, two of one name, or a weight that is not positive.
    """
    if not sources:
        raise ConfigError("There is nothing to train on: the list of sources is empty.")
    names = [source.name for source in sources]
    for source in sources:
        if names.count(source.name) > 1:
            raise ConfigError(f"Two sources are called {source.name!r}. Give each its own name.")
        if not source.weight > 0:
            raise ConfigError(
                f"The source {source.name!r} has weight {source.weight}; λ must be positive. "
                f"Leave the source out to switch it off."
            )


def draws_of(step: int, num_sources: int, mixing: str) -> list[tuple[int, int]]:
    """Which (source, batch number) pairs make up an update.

    In "round_robin" each source still walks through its own batches one after the other.
    """
    if mixing == "round_robin":
        return [(step % num_sources, step // num_sources)]
    return [(index, step) for index in range(num_sources)]


class _Draws(Dataset[Any]):
    """One process's share of all batches from `first_step` on, in the order of their use."""

    def __init__(
        self, sources: Sequence[Source], config: TrainingConfig, first_step: int, share: Share
    ) -> None:
        self.sources, self.share = sources, share
        per_step = 1 if config.mixing == "round_robin" else len(sources)
        self.mixing, self.per_step, self.first_step = config.mixing, per_step, first_step
        self.length = (config.steps - first_step) * per_step

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, position: int) -> Drawn:
        step = self.first_step + position // self.per_step
        draws = draws_of(step, len(self.sources), self.mixing)
        index, number = draws[position % self.per_step]
        return batch_of(self.sources[index], number, self.share)


def batches(
    sources: Sequence[Source],
    config: TrainingConfig,
    first_step: int,
    share: Share = EVERYTHING,
) -> Iterator[Drawn]:
    """Yields every batch from `first_step` on, source after source within a step.

    With `config.num_workers` processes they are made ahead of time; the order, and so the run,
    does not depend on how many there are.
    """
    draws = _Draws(sources, config, first_step, share)
    if config.num_workers == 0:
        return (draws[position] for position in range(len(draws)))
    loader = DataLoader(
        draws,
        batch_size=None,
        sampler=range(len(draws)),
        num_workers=config.num_workers,
        prefetch_factor=config.prefetch,
        worker_init_fn=_settle_worker,
        # Without its own generator the loader would draw from the run's random numbers.
        generator=torch.Generator(),
        pin_memory=pick_device(config.device).type == "cuda",
    )
    return iter(loader)


def _settle_worker(_worker: int) -> None:
    # One thread each, or workers fight the training process for cores.
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(1)
    # Such signals often reach the whole process group, but the trainer alone decides when to
    # stop. A worker that SIGTERM has to end leaves with status 0: the loader then raises where
    # the next batch is fetched, instead of in the middle of whatever the trainer is doing.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))
