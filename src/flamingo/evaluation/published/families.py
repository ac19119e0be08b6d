"""Which families published a protocol, which model is of which, and what they asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from flamingo.data.processor import FlamingoProcessor
from flamingo.data.released_styles import IDEFICS as IDEFICS_STYLE
from flamingo.data.released_styles import IDEFICS_INSTRUCT as IDEFICS_INSTRUCT_STYLE
from flamingo.data.released_styles import OPEN_FLAMINGO as OPEN_FLAMINGO_STYLE
from flamingo.evaluation.benchmarks.task import BenchmarkTask
from flamingo.evaluation.published.idefics import IDEFICS, IDEFICS_INSTRUCT
from flamingo.evaluation.published.open_flamingo import OPEN_FLAMINGO
from flamingo.evaluation.published.protocol import Family
from flamingo.evaluation.published.published_predictor import PublishedPredictor
from flamingo.evaluation.published.published_task import PublishedTask
from flamingo.foundation.errors import ConfigError
from flamingo.inference.predictor import Predictor

_MARKS = ("image_tag", "eoc_tag", "around_image")
_FAMILIES: tuple[tuple[Mapping[str, Any], Family], ...] = (
    (OPEN_FLAMINGO_STYLE, OPEN_FLAMINGO),
    (IDEFICS_INSTRUCT_STYLE, IDEFICS_INSTRUCT),
    (IDEFICS_STYLE, IDEFICS),
)
"""By the tags that each family's processors write. They are saved with a processor, so a
checkpoint that was converted, or trained further, is known by them as well."""


def family_of(processor: FlamingoProcessor) -> Family:
    """The family of a model, by its processor.

    Raises:
        ConfigError: it is of none that published a protocol.
    """
    for style, family in _FAMILIES:
        if all(getattr(processor, name) == style.get(name, "") for name in _MARKS):
            return family
    known = ", ".join(family.name for _, family in _FAMILIES)
    raise ConfigError(
        "--published-protocol is given, but there is no published protocol for this model: its "
        f"prompts end in {processor.eoc_tag!r}.\nThere are those of {known}. Leave it out."
    )


def as_published(
    predictor: Predictor,
    tasks: Mapping[str, BenchmarkTask],
    metrics: Mapping[str, str] = MappingProxyType({}),
) -> tuple[PublishedPredictor, dict[str, BenchmarkTask]]:
    """A model and benchmarks, to be asked as the model's authors asked them.

    Args:
        predictor: the model.
        tasks: benchmarks by name, as they were opened.
        metrics: by name of a benchmark the metric, where it is not to be the protocol's.

    Raises:
        ConfigError: nothing was published for the model or for a benchmark, or a metric cannot
            be computed here.
    """
    family = family_of(predictor.processor)
    check_published(tuple(tasks), family)
    published: dict[str, BenchmarkTask] = {
        name: PublishedTask.of(task, family, metric=metrics.get(name))
        for name, task in tasks.items()
    }
    return PublishedPredictor(predictor, family), published


def protocol_of(tasks: Mapping[str, Any]) -> dict[str, str]:
    """The family whose protocol tasks are asked by, for a summary; nothing if by none."""
    families = {one.family for one in tasks.values() if isinstance(one, PublishedTask)}
    return {"protocol": families.pop()} if families else {}


def check_published(names: Sequence[str], family: Family | None = None) -> None:
    """Refuses benchmarks for which nothing was published.

    Args:
        names: of the benchmarks.
        family: whose protocol is wanted; of any if it is not known yet.

    Raises:
        ConfigError: there is such a benchmark.
    """
    families = [one for _, one in _FAMILIES] if family is None else [family]
    known = list(dict.fromkeys(name for one in families for name in one.benchmarks))
    if unknown := [name for name in names if name not in known]:
        whose = "" if family is None else f" of {family.name}"
        raise ConfigError(
            f"there is no published protocol{whose} for {', '.join(unknown)}.\n"
            f"There is one for {', '.join(known)}. Give these in --tasks, or leave "
            "--published-protocol out."
        )
