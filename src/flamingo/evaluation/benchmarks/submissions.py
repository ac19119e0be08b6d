"""Predictions as the official servers want them, for parts whose answers are hidden."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from flamingo.evaluation.benchmarks.item import Item
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.foundation.errors import ConfigError, DataError, nearest

Record = Callable[[Item, Outcome], dict[str, Any]]
"""A query and its answer give what the file says about it."""


def submission(name: str, answered: Sequence[tuple[Item, Outcome]]) -> str:
    """The content of a file to hand in: a JSON list with an object for each query.

    Args:
        name: of a format, see `FORMATS`; a benchmark says its own.
        answered: queries with their answers. Servers refuse a file that lacks some of a part.

    Raises:
        ConfigError: there is no such format.
        DataError: an item or an answer lacks what the format needs.
    """
    if name not in FORMATS:
        raise ConfigError(f"there is no submission format {name!r}.\n{nearest(name, FORMATS)}")
    records = [FORMATS[name](item, outcome) for item, outcome in answered]
    return json.dumps(records, ensure_ascii=False) + "\n"


def _caption(item: Item, outcome: Outcome) -> dict[str, Any]:
    return {"image_id": _detail(item, "image_id"), "caption": outcome.prediction}


def _answer(item: Item, outcome: Outcome) -> dict[str, Any]:
    return {"question_id": _detail(item, "question_id"), "answer": outcome.prediction}


def _answer_by_image(item: Item, outcome: Outcome) -> dict[str, Any]:
    return {"image": _detail(item, "image"), "answer": outcome.prediction}


def _ranks(item: Item, outcome: Outcome) -> dict[str, Any]:
    """Of each candidate, in the order of the file, its place: 1 is the likeliest."""
    found = tuple(candidate for candidate, _ in outcome.candidates)
    if not found or found != item.candidates:
        raise DataError(
            f"the answer to {item.id} ranks {len(found)} candidates, which are not the "
            f"{len(item.candidates)} of its query in their order.\n"
            "Evaluate the query close-ended, with all of its candidates."
        )
    scores = [score for _, score in outcome.candidates]
    order = sorted(range(len(scores)), key=lambda number: -scores[number])
    ranks = [0] * len(scores)
    for rank, number in enumerate(order, start=1):
        ranks[number] = rank
    return {
        "image_id": _detail(item, "image_id"),
        "round_id": _detail(item, "round_id"),
        "ranks": ranks,
    }


def _detail(item: Item, name: str) -> Any:
    if name not in item.details:
        raise DataError(
            f"the item {item.id} has no detail {name!r}, which this submission format needs.\n"
            f"It has: {', '.join(item.details) or 'none'}. Use the format of its benchmark."
        )
    return item.details[name]


FORMATS: dict[str, Record] = {
    "coco-captions": _caption,
    "vqa": _answer,
    "textvqa": _answer,
    "vizwiz": _answer_by_image,
    "visdial": _ranks,
}
"""By name what a file says of one query. That of TextVQA is from memory: as VQA's."""
