"""How much hangs on the order of the shots and on the words of the template.

The same queries are asked with several variants of one prompt; a model that has understood the
task gives the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, stdev

from flamingo.evaluation.text_table import markdown_rows
from flamingo.foundation.errors import DataError


@dataclass(frozen=True)
class Variant:
    """The answers of one variant.

    Args:
        name: how tables call it, such as "order 2".
        score: of all its answers, in points.
        answers: by the query's id.
    """

    name: str
    score: float
    answers: Mapping[str, str]


@dataclass(frozen=True)
class Sensitivity:
    """What the variants say together.

    Attributes:
        num_variants: how many there are.
        num_queries: how many queries each was asked.
        mean: of the scores.
        deviation: standard deviation of the scores, over variants.
        worst: name of the variant with the lowest score.
        lowest: its score.
        best: name of the variant with the highest score.
        highest: its score.
        changed: share of the queries that two variants answer differently, 0 to 1.
        agreement: share of equal answers of two variants, mean over all pairs of them, 0 to 1.
    """

    num_variants: int
    num_queries: int
    mean: float
    deviation: float
    worst: str
    lowest: float
    best: str
    highest: float
    changed: float
    agreement: float

    @property
    def range(self) -> float:
        """From the lowest score to the highest, in points."""
        return self.highest - self.lowest


def sensitivity_of(variants: Sequence[Variant]) -> Sensitivity:
    """Summarizes at least two variants.

    Raises:
        DataError: there are fewer than two, no queries, or different queries.
    """
    if len(variants) < 2:
        raise DataError(
            f"There are {len(variants)} variants; what changes between them needs at least two.\n"
            "Ask the same queries again, in another order or with another template."
        )
    first, *others = variants
    for one in others:
        if one.answers.keys() != first.answers.keys():
            differing = sorted(one.answers.keys() ^ first.answers.keys())
            raise DataError(
                f"{one.name!r} and {first.name!r} were not asked the same queries: "
                f"{len(differing)} have an answer of only one of them, such as {differing[0]!r}.\n"
                "Ask each variant the same queries, and all of them."
            )
    if not first.answers:
        raise DataError("No variant has an answer. Ask each of them at least one query.")
    scores = [one.score for one in variants]
    worst = min(variants, key=lambda one: one.score)
    best = max(variants, key=lambda one: one.score)
    given = [[one.answers[query] for one in variants] for query in first.answers]
    return Sensitivity(
        num_variants=len(variants),
        num_queries=len(given),
        mean=fmean(scores),
        deviation=stdev(scores),
        worst=worst.name,
        lowest=worst.score,
        best=best.name,
        highest=best.score,
        changed=fmean(len(set(answers)) > 1 for answers in given),
        agreement=fmean(_agreement(answers) for answers in given),
    )


def _agreement(answers: Sequence[str]) -> float:
    """The share of pairs that are equal."""
    return fmean(one == other for one, other in combinations(answers, 2))


def sensitivity_rows(found: Mapping[str, Sensitivity]) -> list[list[str]]:
    """Header, and a row per task, or whatever else names the summaries."""
    header = ["task", "lowest", "highest", "mean", "range", "answers that change", "agreement"]
    rows = [
        [
            name,
            f"{one.lowest:.1f} ({one.worst})",
            f"{one.highest:.1f} ({one.best})",
            f"{one.mean:.1f} ±{one.deviation:.1f}",
            f"{one.range:.1f}",
            f"{100 * one.changed:.0f} %",
            f"{100 * one.agreement:.0f} %",
        ]
        for name, one in found.items()
    ]
    return [header, *rows]


def sensitivity_notes(found: Mapping[str, Sensitivity]) -> list[str]:
    """What a reader of the table must know."""
    sizes = " or ".join(str(n) for n in sorted({one.num_variants for one in found.values()}))
    queries = " or ".join(str(n) for n in sorted({one.num_queries for one in found.values()}))
    return [
        f"Scores in points over {sizes} variants of the prompt, each asked the same {queries} "
        "queries; ± is the standard deviation over variants. An answer changes if any two variants "
        "differ in it; agreement is how often two variants give the same answer."
    ]


def sensitivity_markdown(found: Mapping[str, Sensitivity]) -> str:
    """The table for a document, with its notes."""
    return markdown_rows(sensitivity_rows(found), 1) + "\n" + sensitivity_notes(found)[0] + "\n"
