"""Writes what evaluation servers take, for parts whose answers are hidden."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flamingo.evaluation.benchmarks.submissions import submission
from flamingo.evaluation.benchmarks.task import BenchmarkTask
from flamingo.evaluation.controls import NONE
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.prediction import LEFT_OUT, Place
from flamingo.evaluation.sweep import Sweep
from flamingo.foundation.records import write_text_atomically

FOLDER = "submissions"


def write_submissions(
    folder: Path,
    tasks: Mapping[str, BenchmarkTask],
    sweep: Sweep,
    outcomes: Mapping[Place, Outcome],
) -> list[Path]:
    """One file per benchmark and number of shots, of those that have an answer to every query.

    Args:
        folder: of the evaluation.
        tasks: benchmarks by name.
        sweep: what was asked.
        outcomes: what was answered.
    """
    written = []
    for name, task in tasks.items():
        form, queries = task.benchmark.submission, task.subsets.queries
        if form is None or any(query.references for query in queries):
            continue
        for shots, control in sweep.cells(name):
            places = [(name, shots, control, index) for index in sweep.indices(name)]
            own = [outcomes.get(place) for place in places]
            is_whole = len(places) == len(queries) and all(
                one is not None and LEFT_OUT not in one.details for one in own
            )
            # Servers refuse a file that lacks some of the part.
            if control != NONE or not is_whole:
                continue
            pairs = [(queries[place[-1]], outcomes[place]) for place in places]
            path = folder / FOLDER / f"{name}-{shots}-shots.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text_atomically(path, submission(form, pairs))
            written.append(path)
    return written
