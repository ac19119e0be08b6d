"""Under which conditions our score of a benchmark came about, where the paper's are others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.media_loader import EVALUATION_SAMPLING
from flamingo.evaluation.benchmarks.opening import BenchmarkSettings
from flamingo.evaluation.benchmarks.task import THE_BENCHMARKS
from flamingo.evaluation.cell import Cell
from flamingo.evaluation.controls import NONE
from flamingo.foundation.errors import ConfigError
from flamingo.foundation.records import from_plain

Source = Mapping[str, Any]
"""How a task was opened, as `summary.json` has it: its metric, and its settings."""


def is_validation(source: Source | None) -> bool:
    """Whether the score is one of a validation split, of which the paper prints none."""
    return (source or {}).get("settings", {}).get("split") == "validation"


def conditions_note(
    benchmark: Benchmark,
    source: Source | None,
    cells: Sequence[Cell],
    prompts: str = THE_BENCHMARKS,
) -> str:
    """What a reader must know who compares our score with the paper's; "" if nothing.

    Args:
        benchmark: as it is when nothing is changed.
        source: how it was opened; None where nobody has noted it.
        cells: of it.
        prompts: whose prompts the printed scores are of.

    Paper: Table 1 (random shots), Table 6 (parts and metrics), App. A.3 (frames).
    """
    if is_validation(source):
        return (
            f"{benchmark.name} is not in the table: it was asked on a validation split, cut from "
            "its training part, of which the paper prints no score."
        )
    try:
        settings = from_plain(BenchmarkSettings, (source or {})["settings"])
    except (KeyError, ConfigError):
        return f"Nobody has noted how {benchmark.name} was asked; it may be otherwise than there."
    own = [cell for cell in cells if cell.control == NONE]
    others = "; ".join([*_others(benchmark, settings, own), *_prompts(source or {}, prompts)])
    return f"{benchmark.name} was not asked as in the paper: {others}." if others else ""


def _prompts(source: Source, expected: str) -> Iterator[str]:
    """Whose prompts it was asked with, if others were expected."""
    whose = source.get("prompts", THE_BENCHMARKS)
    if whose != expected:
        yield f"its prompts are {whose}, not {expected}"


def _others(
    benchmark: Benchmark, settings: BenchmarkSettings, cells: Sequence[Cell]
) -> Iterator[str]:
    """The conditions that are others."""
    part = settings.parts.get(benchmark.name, benchmark.query_parts[0])
    if part != benchmark.paper_part:
        yield f"its part {part}, not {benchmark.paper_part}"
    complete = benchmark.num_items.get(part)
    for number in sorted({cell.n for cell in cells}):
        if complete is not None and number != complete:
            yield f"{number} of the {complete} queries of {part}"
    metric = settings.metrics.get(benchmark.name, benchmark.metric)
    if metric != benchmark.metric:
        yield f"scored by {metric}, not {benchmark.metric}"
    if settings.rices and any(cell.shots for cell in cells):
        yield "its shots are those that look most like the query (RICES), not random ones"
    if benchmark.is_video and settings.sampling != EVALUATION_SAMPLING:
        yield "other frames of its videos than 30 at 3 per second"
