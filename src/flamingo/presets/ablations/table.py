"""The table of an ablation as records: one per row, with everything that was measured of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from flamingo.presets.ablations.comparison import (
    Difference,
    Direction,
    direction,
    paired_difference,
)
from flamingo.presets.ablations.result import ArmResult
from flamingo.presets.ablations.row import BASELINE, PaperRow, Row
from flamingo.presets.ablations.rows import paper_difference

_FEW_SEEDS = 3
"""With so many or fewer, the spread of seeds is hardly known."""


@dataclass(frozen=True)
class Entry:
    """One row of the table.

    Args:
        row: its name.
        mirrors: the paper's row.
        description: what is changed.
        settings: the change as `section.field=value`.
        learning_rate: which rates its parts have, and why.
        learning_rate_multiple: of the row's own rate, where several were tried the best.
        seeds: that are finished.
        accuracy: by task in percent, the mean over seeds.
        overall: mean above chance over tasks and seeds; None until a seed is finished.
        overall_by_seed: the same of each seed.
        reference: the row that it is compared with, which is not always the baseline; None for
            the baseline.
        difference: to the results of `reference`; None until both have one of the same seed.
        num_parameters: of the whole model.
        num_trained: of those, how many learn.
        seconds_per_step: median over seeds of the time for one batch of every source.
        paper: what the paper printed.
        paper_difference: the paper's row minus its baseline, in points of its overall score.
        direction: whether the sign of our difference is the paper's.
        is_baseline: whether the row changes nothing of the baseline, and shares its runs.
        notes: what the reader must know to judge it.
    """

    row: str
    mirrors: str
    description: str
    settings: tuple[str, ...]
    learning_rate: str
    learning_rate_multiple: float
    seeds: tuple[int, ...]
    accuracy: Mapping[str, float]
    overall: float | None
    overall_by_seed: Mapping[int, float]
    reference: str | None
    difference: Difference | None
    num_parameters: int | None
    num_trained: int | None
    seconds_per_step: float | None
    paper: PaperRow | None
    paper_difference: float | None
    direction: Direction | None
    is_baseline: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """The results of one row.

    Args:
        row: the row.
        results: of its finished seeds.
        learning_rate: the multiple that it was trained with.
        encoder: the result of its own first stage, if it has one that is finished.
        is_baseline: whether it shares the baseline's runs.
        updates: see `Arm.updates`.
    """

    row: Row
    results: Sequence[ArmResult]
    learning_rate: float = 1.0
    encoder: ArmResult | None = None
    is_baseline: bool = False
    updates: int = 1


def entries(found: Sequence[Found], next_share: float) -> list[Entry]:
    """The table, of whatever is finished.

    Args:
        found: of the rows that were asked for, and of those that they are compared with.
        next_share: the baseline's p_next.
    """
    results = {one.row.name: one.results for one in found}
    return [_entry(one, results.get(one.row.reference, ()), next_share) for one in found]


def _entry(found: Found, reference: Sequence[ArmResult], next_share: float) -> Entry:
    row, results = found.row, found.results
    papers = paper_difference(row, next_share)
    is_compared = row.name != BASELINE and not found.is_baseline
    difference = paired_difference(results, reference) if is_compared else None
    tasks = results[0].right if results else {}
    return Entry(
        row=row.name,
        mirrors=row.mirrors,
        description=row.description,
        settings=row.settings,
        learning_rate=row.learning_rate,
        learning_rate_multiple=found.learning_rate,
        seeds=tuple(one.seed for one in results),
        accuracy={task: fmean(_accuracy(one, task) for one in results) for task in tasks},
        overall=fmean(one.overall for one in results) if results else None,
        overall_by_seed={one.seed: one.overall for one in results},
        reference=row.reference if row.name != BASELINE else None,
        difference=difference,
        num_parameters=results[0].num_parameters if results else None,
        num_trained=results[0].num_trained if results else None,
        seconds_per_step=median(one.seconds_per_step for one in results) if results else None,
        paper=row.paper,
        paper_difference=papers,
        direction=direction(difference, papers),
        is_baseline=row.name == BASELINE or found.is_baseline,
        notes=_notes(found, difference),
    )


def _accuracy(result: ArmResult, task: str) -> float:
    answers = result.right[task]
    return 100 * answers.count("1") / len(answers)


def _notes(found: Found, difference: Difference | None) -> tuple[str, ...]:
    notes = []
    if found.is_baseline and found.row.name != BASELINE:
        notes.append("the same settings as the baseline, and the same runs")
    if found.row.encoder is not None:
        notes.append(_on_encoder(found))
    if found.updates > 1:
        notes.append(f"{found.updates} updates per step, each of a batch of one source")
    num_seeds = 0 if difference is None else len(difference.seeds)
    if num_seeds == 1:
        notes.append("one seed: the interval is that of the queries alone")
    elif 1 < num_seeds <= _FEW_SEEDS:
        notes.append(f"{num_seeds} seeds: the interval is still too narrow for what others may do")
    return tuple(notes)


def _on_encoder(found: Found) -> str:
    other = "the baseline's is the shipped one"
    if found.row.reference != BASELINE:
        other = f"as that of {found.row.reference} had, with which it is compared"
    told = "it is not trained yet"
    if found.encoder is not None:
        read = _probes(found.encoder)
        told = "; ".join(f"what its features tell of held-out {of}: {one}" for of, one in read)
    return f"its encoder had a brief first stage of its own, {other}; {told}"


def _probes(encoder: ArmResult) -> list[tuple[str, str]]:
    """What held-out pictures show, and how well each of it can be read out of the features."""
    pairs, signs = list[str](), list[str]()
    for name, value in encoder.metrics.items():
        if name.endswith("_held_out"):
            kind = name.removeprefix("probe_").removesuffix("_held_out")
            is_sign = kind.endswith("_syllable")
            told = f"{kind.replace('_', ' ')} {100 * value:.0f} %"
            (signs if is_sign else pairs).append(told)
    found = [("pairs", ", ".join(pairs) or "not probed")]
    return [*found, ("signs", ", ".join(signs))] if signs else found
