"""A task of one's own: a JSON lines file of examples, and a few lines of YAML about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import place, read_json_lines
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.metrics.registry import metric_named
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.records import from_plain, read_yaml
from flamingo.prompting import Template, template_named

_MEDIA = ("image", "video", "images", "videos")
_OWN = {"id", "answer", "answers", "choices", "start", "end", "details", *_MEDIA}


@dataclass(frozen=True)
class CustomTask:
    """What the YAML file says.

    Args:
        name: what commands and reports call the task.
        data: the queries, a JSON lines file beside the YAML file. A line has `image` or `video`
            (a path beside the data file, or a list of them), `answer`, or `answers` where several
            are right, and the fields of the template; it may have `id`, `choices`, `start` and
            `end` (seconds of a video), and `details` for the metric.
        template: of an example, as in "Question: {question} Answer: {answer}", or the name of one
            of the paper's.
        metric: name of a metric.
        support: such a file for the supports; without it, a query's supports are the other lines
            of `data` that show something else.
        choices: candidates that all queries share; without them, and without choices in the
            lines, answers are written freely.
        held_out: whether nothing may be chosen by it.
        max_new_tokens: an open answer that is longer is cut.
    """

    name: str
    data: str
    template: str = "question-answer"
    metric: str = "accuracy"
    support: str | None = None
    choices: tuple[str, ...] = ()
    held_out: bool = False
    max_new_tokens: int = 20


def read_custom_task(path: Path) -> Benchmark:
    """The benchmark that a YAML file describes; its files lie in the folder of that file.

    Raises:
        ConfigError: the file is missing, or has a field that is unknown, missing or impossible.
    """
    task = from_plain(CustomTask, read_yaml(path))
    metric_named(task.metric)
    template = Template.parse(task.template) if "{" in task.template else None
    template = template or template_named(task.template)
    files = {"queries": task.data, "supports": task.support or task.data}

    def read(folder: Path, part: str) -> Pool:
        file = folder / files[part]
        lines = read_json_lines(file)
        items = (_item(line, file, number, template) for number, line in enumerate(lines, start=1))
        return pool_of(items, file, task.choices)

    return Benchmark(
        name=task.name,
        title=task.name,
        is_held_out=task.held_out,
        template=template,
        metric=task.metric,
        read=read,
        query_parts=("queries",),
        support_part="queries" if task.support is None else "supports",
        paper_part="queries",
        num_items={},
        layout=tuple((file, "examples, one per line") for file in dict.fromkeys(files.values())),
        source=str(path),
        license="your own",
        max_new_tokens=task.max_new_tokens,
        num_validation=0,
    )


def _item(line: Any, file: Path, number: int, template: Template) -> Item:
    where = place(file, number)
    if not isinstance(line, Mapping):
        raise DataError(f"{where} is {line!r}.\nWrite one JSON object per line.")
    answers = _texts(line, "answers", where) or _texts(line, "answer", where)
    if not answers:
        raise DataError(f"{where} has no answer.\nGive `answer`, or `answers` with a list of them.")
    fields = {name: str(value) for name, value in line.items() if name not in _OWN}
    missing = [name for name in template.fields if name not in fields]
    if missing:
        raise DataError(
            f"{where} lacks the field {missing[0]!r} of the template {template.prefix!r}.\n"
            f"Its fields are: {', '.join(line)}. Add it, or choose another template."
        )
    details = line.get("details", {})
    if not isinstance(details, Mapping):
        raise DataError(f"{where} has details that are no object: {details!r}.")
    return Item(
        id=str(line.get("id", number)),
        media=_media(line, file.parent, where),
        fields=fields,
        answer=answers[0],
        references=answers,
        candidates=_texts(line, "choices", where),
        details=dict(details),
    )


def _media(line: Mapping[str, Any], folder: Path, where: str) -> tuple[Media, ...]:
    paths = [path for name in _MEDIA for path in _texts(line, name, where)]
    if not paths:
        raise DataError(f"{where} shows nothing.\nGive `image` or `video`, a path or a list.")
    times = []
    for name in ("start", "end"):
        value = line.get(name)
        if value is not None and not isinstance(value, int | float):
            raise DataError(f"{where} has {name} {value!r}.\nGive seconds, as a number.")
        times.append(None if value is None else float(value))
    return tuple(Media(folder / path, *times) for path in paths)


def _texts(line: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    """A text or a list of them; none if there is no such field."""
    value = line.get(name)
    listed = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(text, str | int | float) for text in listed):
        raise DataError(f"{where} has {name} {value!r}.\nGive a text, or a list of texts.")
    return tuple(str(text) for text in listed)


def check_name(name: str, known: Mapping[str, Any]) -> None:
    """Refuses a task that has the name of another one.

    Raises:
        ConfigError: it has.
    """
    if name in known:
        raise ConfigError(f"There is a task {name!r} already. Give yours another name.")
