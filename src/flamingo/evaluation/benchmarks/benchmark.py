"""What a benchmark is, as data: where its files are, how it is asked, and how it is scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flamingo.evaluation.benchmarks.item import Pool
from flamingo.prompting import Template

Reader = Callable[[Path, str], Pool]
"""The folder and the name of an official part ("train", "val", "test") give its items.

Raises a DataError that names the files which are missing or damaged, and what to do."""


@dataclass(frozen=True)
class Benchmark:
    """One benchmark.

    Args:
        name: how commands and reports call it: "coco".
        title: its name as it is written in papers: "COCO".
        is_held_out: False for the paper's development benchmarks (DEV).
        template: how one example is written.
        metric: name of its metric, see `metrics.registry`.
        read: reads one official part.
        query_parts: the parts that may be evaluated; the first is the default, which has public
            answers. The paper's own part is among them.
        support_part: the part that supports are taken from.
        paper_part: the part that the paper evaluates.
        num_items: by part how many items the complete official files have, as far as known.
        max_new_tokens: an open answer that is longer is cut; 0 where candidates are scored.
        is_video: whether its visuals are videos.
        num_support: size of the support set that is cut from `support_part`; per class if
            `per_class`.
        num_validation: size of the validation query set that a development benchmark has; 0 for
            none.
        per_class: whether both sizes are per class.
        max_shots: the paper's largest number of shots, where it is below 32.
        layout: the files and folders that it needs, each with a word on what it is.
        source: where the files are to be had.
        license: what one may do with them, in a line.
        submission: name of the format in which predictions of hidden parts are handed in.
        paper: the paper's scores, by model ("3B", "9B", "80B") and number of shots.

    Paper: Sec. 3, Table 6, App. B.1.
    """

    name: str
    title: str
    is_held_out: bool
    template: Template
    metric: str
    read: Reader
    query_parts: tuple[str, ...]
    support_part: str
    paper_part: str
    num_items: Mapping[str, int]
    layout: tuple[tuple[str, str], ...]
    source: str
    license: str
    max_new_tokens: int = 20
    is_video: bool = False
    num_support: int = 2048
    num_validation: int = 1024
    per_class: bool = False
    max_shots: int = 32
    submission: str | None = None
    paper: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    @property
    def has_validation(self) -> bool:
        """Whether sets for choices are cut from its training part."""
        return not self.is_held_out and self.num_validation > 0
