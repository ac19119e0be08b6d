"""Benchmarks asked in the words that a model was trained or measured with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flamingo.evaluation.benchmarks.task import THE_BENCHMARKS, BenchmarkTask
from flamingo.foundation.records import to_plain
from flamingo.prompting import TEMPLATES, Template


def in_own_words(task: BenchmarkTask, templates: Mapping[str, Template]) -> BenchmarkTask:
    """The benchmark with the model's own template, where it has one in place of the paper's.

    A benchmark keeps a template that is none of the paper's, also one that a YAML file spells out
    in the same words.

    Args:
        task: as it was opened.
        templates: of the model, by the names of the paper's, see `own_templates`.
    """
    # The same object: words that somebody has typed are meant.
    names = [name for name, paper in TEMPLATES.items() if paper is task.benchmark.template]
    own = [templates[name] for name in names if templates[name] != TEMPLATES[name]]
    return replace(task, own_template=own[0]) if own else task


def whose_prompts(task: Any) -> dict[str, str]:
    """Whose prompts a task is asked with, in words; nothing of tasks that are no benchmarks."""
    return {"prompts": task.prompts} if isinstance(task, BenchmarkTask) else {}


def told_prompts(task: Any) -> dict[str, Any]:
    """The same with the metric, and with the template where it is not the benchmark's."""
    if not isinstance(task, BenchmarkTask):
        return {}
    told = {"metric": task.metric, **whose_prompts(task)}
    return told if task.prompts == THE_BENCHMARKS else told | {"template": to_plain(task.template)}
