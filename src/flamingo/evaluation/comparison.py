"""Several models on the same queries: what lies between two of them, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flamingo.evaluation.cell import Cell
from flamingo.evaluation.metrics.bootstrap import NUM_SAMPLES, paired_difference
from flamingo.evaluation.metrics.outcome import Metric, Outcome
from flamingo.evaluation.results import CellKey
from flamingo.foundation.errors import ConfigError, DataError

FEWEST_QUERIES = 20
"""With fewer, the interval of a bootstrap is too narrow to decide anything."""


@dataclass(frozen=True)
class Evaluated:
    """What is known of one model.

    Args:
        model: how tables call it.
        cells: its scores.
        outcomes: of each cell the answers, by the query's id; only needed for differences.
    """

    model: str
    cells: tuple[Cell, ...]
    outcomes: Mapping[CellKey, Mapping[str, Outcome]] = field(default_factory=dict)

    def cell_at(self, key: CellKey) -> Cell | None:
        """The cell of this name, if there is one."""
        named = (cell for cell in self.cells if (cell.task, cell.shots, cell.control) == key)
        return next(named, None)


@dataclass(frozen=True)
class CellDifference:
    """One cell of two models, over the queries that both have answered.

    Attributes:
        task: name of the task.
        shots: supports in the prompt.
        control: what was taken away from the episodes.
        first: score of the first model over these queries, in points.
        second: that of the second model.
        low: lower end of the 95 % interval of first - second.
        high: upper end.
        p_value: how often chance makes such a difference of two equal models; two-sided.
        num_queries: how many queries both have answered.
        num_left_out: how many only one of them has.
    """

    task: str
    shots: int
    control: str
    first: float
    second: float
    low: float
    high: float
    p_value: float
    num_queries: int
    num_left_out: int

    @property
    def key(self) -> CellKey:
        """What names the cell."""
        return self.task, self.shots, self.control

    @property
    def difference(self) -> float:
        """By how many points the first model is better."""
        return self.first - self.second

    @property
    def is_decided(self) -> bool:
        """Whether the interval says which model is better: zero lies outside of it."""
        return self.num_queries >= FEWEST_QUERIES and not self.low <= 0 <= self.high


@dataclass(frozen=True)
class Differences:
    """All that lies between two models.

    Attributes:
        first: name of the first model.
        second: name of the second.
        found: in the order of the first model's cells.
        impossible: cells that could not be compared, and why.
    """

    first: str
    second: str
    found: tuple[CellDifference, ...]
    impossible: Mapping[CellKey, str]


def differences(
    first: Evaluated,
    second: Evaluated,
    metrics: Mapping[str, Metric],
    *,
    seed: int = 0,
    num_samples: int = NUM_SAMPLES,
) -> Differences:
    """Compares two models cell by cell, by a paired bootstrap over queries.

    Args:
        first: one model.
        second: the other.
        metrics: how each task is scored, by the task's name.
        seed: of the bootstrap.
        num_samples: of each interval.

    Raises:
        ConfigError: both models have one name, or `num_samples` is below 1.
    """
    if first.model == second.model:
        raise ConfigError(
            f"Both models are called {first.model!r}, so nobody could tell which one is better.\n"
            "Give them different names."
        )
    found, impossible = [], {}
    keys = [(c.task, c.shots, c.control) for one in (first, second) for c in one.cells]
    for key in dict.fromkeys(keys):
        metric = metrics.get(key[0])
        why = _obstacle(first, second, key, metric)
        if metric is None or why:
            impossible[key] = why
            continue
        try:
            found.append(_difference(first, second, key, metric, seed, num_samples))
        except DataError as error:
            # Such as ROC AUC of queries that all have one class.
            impossible[key] = str(error).partition("\n")[0].rstrip(".")
    return Differences(first.model, second.model, tuple(found), impossible)


def _obstacle(first: Evaluated, second: Evaluated, key: CellKey, metric: Metric | None) -> str:
    """Why the models cannot be compared there; "" if they can."""
    for one in (first, second):
        cell = one.cell_at(key)
        if cell is None:
            return f"{one.model} has no score there"
        if metric is None:
            return f"no metric is given for {key[0]}"
        if cell.metric != metric.name:
            return f"{one.model} was scored by {cell.metric} and not by {metric.name}"
        if not one.outcomes.get(key):
            return f"the single answers of {one.model} are not known"
    if not first.outcomes[key].keys() & second.outcomes[key].keys():
        return "no query was answered by both"
    return ""


def _difference(
    first: Evaluated,
    second: Evaluated,
    key: CellKey,
    metric: Metric,
    seed: int,
    num_samples: int,
) -> CellDifference:
    ours, theirs = first.outcomes[key], second.outcomes[key]
    shared = [query for query in ours if query in theirs]
    one, other = ([outcomes[query] for query in shared] for outcomes in (ours, theirs))
    found = paired_difference(metric, one, other, seed, *key, num_samples=num_samples)
    return CellDifference(
        *key,
        first=metric.total(one, metric.each(one)),
        second=metric.total(other, metric.each(other)),
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        num_queries=len(shared),
        num_left_out=len(ours) + len(theirs) - 2 * len(shared),
    )
