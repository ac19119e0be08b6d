"""What the queries of an evaluation showed, found again for a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamingo.evaluation.benchmarks.task import BenchmarkTask
    from flamingo.evaluation.folder import Evaluation
    from flamingo.miniature.tasks import FewShotTask
    from flamingo.sequence import Visual


class Queries:
    """The visuals of an evaluation's queries; none where drawing or files have changed.

    Args:
        evaluation: read from its folder.
        drawn: those of its tasks that still draw the same episodes.
        tasks: names of those that are shown.

    Attributes:
        lost: benchmarks whose files are not where they were, or some of whose files cannot be
            read, each with the reason.
    """

    def __init__(
        self, evaluation: Evaluation, drawn: Mapping[str, FewShotTask], tasks: Sequence[str]
    ) -> None:
        self._drawn, self._seed = drawn, evaluation.seed
        self._items: dict[str, tuple[BenchmarkTask, dict[str, Any]]] = {}
        self.lost: dict[str, str] = {}
        for name in tasks:
            source = evaluation.sources.get(name, {})
            if "settings" in source:
                self._open(name, source)

    def __call__(self, task: str, index: int, query: str) -> Sequence[Visual]:
        """What one query shows."""
        from flamingo.foundation.errors import MediaError

        if task in self._items:
            opened, items = self._items[task]
            try:
                return tuple(map(opened.load, items[query].media)) if query in items else ()
            except MediaError as error:
                self.lost.setdefault(f"some queries of {task}", str(error).split("\n")[0])
                return ()
        if task in self._drawn:
            return self._drawn[task].build(self._seed, index, 0).query.visuals
        return ()

    def _open(self, name: str, source: Mapping[str, Any]) -> None:
        from dataclasses import replace

        from flamingo.cli.evaluate_bench import known_benchmarks
        from flamingo.evaluation.benchmarks.opening import BenchmarkSettings, open_benchmark
        from flamingo.foundation.errors import FlamingoError
        from flamingo.foundation.records import from_plain

        try:
            settings = from_plain(BenchmarkSettings, source["settings"])
            settings = replace(settings, metrics={}, rices=False, may_be_missing=True)
            benchmark = known_benchmarks([Path(path) for path in source["custom"]])[name]
            # Only queries are looked at: no training part is read, and no metric must be there.
            benchmark = replace(benchmark, metric="accuracy", max_shots=0)
            task = open_benchmark(benchmark, settings, max_shots=0).task
        except (FlamingoError, KeyError) as error:
            self.lost[name] = str(error).split("\n")[0]
            return
        self._items[name] = task, {item.id: item for item in task.subsets.queries}
