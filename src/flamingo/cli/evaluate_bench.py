"""A model and the tasks that it is asked, drawn ones and benchmarks alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamingo.cli.loading import Loading

if TYPE_CHECKING:
    from flamingo.evaluation.benchmarks.benchmark import Benchmark
    from flamingo.evaluation.benchmarks.opening import BenchmarkSettings
    from flamingo.evaluation.task import Task
    from flamingo.inference.predictor import Predictor

GROUPS = ("dev", "held-out", "all")


@dataclass(frozen=True)
class Bench:
    """What each process of an evaluation loads; it can be pickled.

    Args:
        model: see `Predictor.from_pretrained`.
        tasks: names.
        custom: YAML files of further tasks.
        settings: how benchmarks are opened; None where no files were given.
        max_shots: the largest number of shots that will be asked for.
        num_queries: per task; all if None.
        features: folder for the features of RICES.
        loading: how the model is loaded.
        published: whether benchmarks are asked by the protocol that the model's authors published.
    """

    model: str
    tasks: tuple[str, ...]
    custom: tuple[Path, ...] = ()
    settings: BenchmarkSettings | None = None
    max_shots: int = 0
    num_queries: int | None = None
    features: Path = field(default_factory=Path)
    loading: Loading = field(default_factory=lambda: Loading("steady"))
    published: bool = False

    def __call__(self) -> tuple[Predictor, Mapping[str, Task[Any]]]:
        """Loads them."""
        predictor, tasks, _ = self.load()
        return predictor, tasks

    def load(
        self, progress: Callable[[str, int], object] = lambda name, number: None
    ) -> tuple[Predictor, Mapping[str, Task[Any]], list[str]]:
        """The model, the tasks by name, and notes that a reader of the scores must know.

        Args:
            progress: is told of the items whose features were just computed, by benchmark.

        Raises:
            FlamingoError: the model or the files of a benchmark are missing or damaged, or nothing
                was published of how they are asked.
        """
        from flamingo.evaluation.benchmarks.opening import open_benchmark
        from flamingo.evaluation.benchmarks.own_prompts import in_own_words
        from flamingo.evaluation.published.families import as_published, check_published
        from flamingo.evaluation.rices_features import RicesFeatures
        from flamingo.miniature.tasks import TASKS

        if self.published:
            check_published(self.tasks)
        # Before the model: what a user can have got wrong is told at once.
        benchmarks = self.benchmarks()
        opened = {
            name: open_benchmark(benchmarks[name], self.settings, max_shots=self.max_shots)
            for name in self.tasks
            if name in benchmarks and self.settings is not None and not self.settings.rices
        }
        predictor = self.loading(self.model)
        read = predictor.processor.image_processor.load
        for one in opened.values():
            one.task.load.read = read
        if self.settings is not None and self.settings.rices:
            features_of = RicesFeatures(predictor, self.features, progress)
            for name in self.tasks:
                opened[name] = open_benchmark(
                    benchmarks[name],
                    self.settings,
                    max_shots=self.max_shots,
                    num_queries=self.num_queries,
                    features_of=features_of,
                    read=read,
                )
        notes = [note for one in opened.values() for note in one.notes]
        asked = {name: one.task for name, one in opened.items()}
        if self.published:
            assert self.settings is not None
            predictor, asked = as_published(predictor, asked, self.settings.metrics)
        else:
            asked = {n: in_own_words(one, predictor.templates) for n, one in asked.items()}
        tasks: dict[str, Task[Any]] = {
            name: asked[name] if name in asked else TASKS[name] for name in self.tasks
        }
        return predictor, tasks, notes

    def source_of(self, name: str) -> dict[str, Any]:
        """How a task was opened, for who wants to see its queries again; plain values."""
        from flamingo.foundation.records import to_plain

        benchmark = self.benchmarks().get(name)
        if benchmark is None or self.settings is None:
            return {"metric": "accuracy"}
        metric = self.settings.metrics.get(name, benchmark.metric)
        custom = [str(path.resolve()) for path in self.custom if name in known_benchmarks([path])]
        is_own = name not in known_benchmarks([])
        settings = replace(self.settings, folders={name: self.settings.folder_of(name).resolve()})
        return {
            "metric": metric,
            "custom": custom if is_own else [],
            "settings": to_plain(settings),
        }

    def settings_of(self, name: str) -> dict[str, Any]:
        """What decides the queries and supports of a task, in words, for who changes it later."""
        if self.settings is None or name not in self.benchmarks():
            return {}
        one = self.settings
        frames = one.sampling.num_frames or f"{one.sampling.fps} per second"
        return {
            "split": one.split,
            "part": one.parts.get(name, "default"),
            "supports": one.num_support or "the paper's",
            "shots by": "rices" if one.rices else "random",
            "frames": frames,
            "allow missing": one.may_be_missing,
        }

    def benchmarks(self) -> dict[str, Benchmark]:
        """The paper's benchmarks and those of the YAML files, by name.

        Raises:
            ConfigError: a file is missing or wrong.
        """
        return known_benchmarks(self.custom)


def known_benchmarks(custom: Sequence[Path]) -> dict[str, Benchmark]:
    """The paper's benchmarks, and those that YAML files describe.

    Raises:
        ConfigError: a file is missing or wrong, or its task has the name of another one.
    """
    from flamingo.evaluation.benchmarks.custom import check_name, read_custom_task
    from flamingo.evaluation.benchmarks.registry import BENCHMARKS
    from flamingo.miniature.tasks import TASKS

    known = dict(BENCHMARKS)
    for path in custom:
        one = read_custom_task(path)
        check_name(one.name, {**known, **TASKS})
        known[one.name] = one
    return known


def task_names(text: str, *, has_data: bool) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """The tasks that a command names, and the YAML files among them.

    Args:
        text: names and YAML files with commas between them, or one of `GROUPS`: of the benchmarks
            if their files were given, else of the drawn tasks.
        has_data: whether they were.

    Raises:
        ConfigError: there is no such task; the message lists those that there are.
    """
    from flamingo.evaluation.benchmarks.registry import (
        BENCHMARKS,
        DEVELOPMENT_BENCHMARKS,
        HELD_OUT_BENCHMARKS,
    )
    from flamingo.foundation.errors import ConfigError, nearest
    from flamingo.miniature.tasks import DEVELOPMENT_TASKS, HELD_OUT_TASKS, TASKS

    if text in GROUPS:
        drawn = (DEVELOPMENT_TASKS, HELD_OUT_TASKS, tuple(TASKS))
        of_files = (DEVELOPMENT_BENCHMARKS, HELD_OUT_BENCHMARKS, tuple(BENCHMARKS))
        return dict(zip(GROUPS, of_files if has_data else drawn, strict=True))[text], ()
    words = [word.strip() for word in text.split(",")]
    custom = tuple(Path(word) for word in words if word.endswith((".yaml", ".yml")))
    own = [name for name in known_benchmarks(custom) if name not in BENCHMARKS]
    by_file = dict(zip(custom, own, strict=True))
    names = [by_file.get(Path(word), word) for word in words]
    known = [*TASKS, *BENCHMARKS, *own]
    for name in names:
        if name not in known:
            raise ConfigError(f"there is no task named {name!r}. {nearest(name, known)}")
    return tuple(dict.fromkeys(names)), custom
