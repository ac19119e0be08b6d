"""The predictions of an evaluation as one HTML page to leaf through, worst first."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

from flamingo.foundation.errors import ConfigError

NUM_CANDIDATES = 5
"""The likeliest candidates that are shown, besides those that are right."""


@dataclass(frozen=True)
class Record:
    """One prediction.

    Args:
        task: name of the task.
        shots: supports in the prompt.
        control: what was taken away from the episode.
        query: the query's id.
        prompt: the text as the model reads it.
        supports: the ids of the supports, in the order of the prompt.
        prediction: the answer.
        references: the right answers.
        value: what the answer is worth: 0 if wrong, 1 or more if right, in between if partly.
        candidates: log-likelihood of each candidate; none if the answer is open.
        thumbnails: pictures of the query as `data:` URLs, see `thumbnails.thumbnails`.
    """

    task: str
    shots: int
    control: str
    query: str
    prompt: str
    supports: tuple[str, ...]
    prediction: str
    references: tuple[str, ...]
    value: float
    candidates: tuple[tuple[str, float], ...] = ()
    thumbnails: tuple[str, ...] = ()


def browser_page(
    title: str,
    records: Iterable[Record],
    notes: Sequence[str],
    thumbnails: Callable[[Record], tuple[str, ...]] | None = None,
) -> str:
    """The page as HTML; nothing in it points outside of it.

    Args:
        title: of the page.
        records: in the order in which equal values are shown; may be made while they are read.
        notes: what a reader must know.
        thumbnails: gives the pictures of a record that brings none; asked once for each query of
            a task, however many answers it has, so that no more than one query must be in memory.

    Raises:
        ConfigError: a thumbnail is no `data:` URL of a picture, so the page would need a network.
    """
    return _template().render(title=title, notes=notes, data=_data(records, thumbnails))


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("flamingo.evaluation", "pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("browser.html.j2")


def _data(records: Iterable[Record], thumbnails: Callable[[Record], tuple[str, ...]] | None) -> str:
    """All records as JSON; each picture stands in it once."""
    places: dict[str, int] = {}
    known: dict[tuple[str, str], tuple[str, ...]] = {}
    plain = []
    for record in records:
        key = record.task, record.query
        if not record.thumbnails and thumbnails is not None:
            if key not in known:
                known[key] = thumbnails(record)
            record = replace(record, thumbnails=known[key])
        pictures = [
            places.setdefault(_checked(url, record), len(places)) for url in record.thumbnails
        ]
        plain.append(_plain(record, pictures))
    return _json({"pictures": list(places), "records": plain})


def _plain(record: Record, pictures: list[int]) -> dict[str, Any]:
    return {
        "task": record.task,
        "shots": record.shots,
        "control": record.control,
        "query": record.query,
        "prompt": record.prompt,
        "supports": record.supports,
        "prediction": record.prediction,
        "references": record.references,
        "value": _finite(record.value),
        "candidates": _candidates(record),
        "num_candidates": len(record.candidates),
        "pictures": pictures,
    }


def _candidates(record: Record) -> list[tuple[int, str, float | None, float, bool]]:
    """Rank, text, log-likelihood, share and rightness of the likeliest and of the right ones."""
    ranked = sorted(record.candidates, key=lambda one: -one[1])
    if not ranked:
        return []
    highest = ranked[0][1]
    weights = [math.exp(score - highest) if math.isfinite(score) else 0.0 for _, score in ranked]
    total = sum(weights) or 1.0
    return [
        (rank, text, _finite(score), round(weight / total, 4), text in record.references)
        for rank, ((text, score), weight) in enumerate(zip(ranked, weights, strict=True), start=1)
        if rank <= NUM_CANDIDATES or text in record.references
    ]


def _checked(url: str, record: Record) -> str:
    if not url.startswith("data:image/"):
        raise ConfigError(
            f"A thumbnail of query {record.query!r} of {record.task} is {url[:40]!r}, not a "
            "picture in itself.\nGive a URL that begins with data:image/, as "
            "`flamingo.evaluation.thumbnails` makes them."
        )
    return url


def _finite(value: float) -> float | None:
    """JSON knows neither infinity nor what is no number."""
    return value if math.isfinite(value) else None


def _json(value: Any) -> str:
    """JSON that can stand inside of a script element: no text in it ends that or opens another."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
