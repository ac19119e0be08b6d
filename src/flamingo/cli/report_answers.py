"""What `flamingo report` makes of the single answers: a page, and tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flamingo.evaluation.folder import Evaluation
    from flamingo.miniature.tasks import FewShotTask


def browse(
    evaluation: Evaluation, drawn: Mapping[str, FewShotTask], most: int, target: Path
) -> list[str]:
    """Writes the page to leaf through; says which pictures are not in it, and why."""
    from flamingo.cli.report_queries import Queries
    from flamingo.evaluation.browser import browser_page
    from flamingo.evaluation.browsing import browsable
    from flamingo.foundation.records import write_text_atomically

    queries = Queries(evaluation, drawn)
    found = browsable(evaluation, queries, most=most)
    notes = [f"What {evaluation.model} answered, from {evaluation.folder}."]
    if found.num_left_out:
        notes.append(
            f"{found.num_left_out} queries with better answers are not shown: --browse N shows "
            f"more than the {most} worst of each task."
        )
    title = f"Answers of {evaluation.model}"
    page = browser_page(title, found.records, notes, found.pictures)
    write_text_atomically(target, page)
    return [f"Without pictures of {name}: {reason}" for name, reason in queries.lost.items()]


def write_beside_the_paper(evaluation: Evaluation, model: str, target: Path) -> None:
    """Writes the scores of benchmarks beside the paper's, if there are any."""
    from flamingo.cli.report_comparison import beside_the_paper
    from flamingo.foundation.records import write_text_atomically

    if table := beside_the_paper(evaluation.cells, model):
        write_text_atomically(target, table)


def bias_by_group(evaluation: Evaluation, path: Path) -> str:
    """The groups of every task that the file has queries of, at every number of shots."""
    from flamingo.evaluation.bias import bias_markdown, bias_of
    from flamingo.evaluation.browsing import values_of
    from flamingo.evaluation.controls import NONE
    from flamingo.evaluation.groups import read_groups
    from flamingo.foundation.errors import DataError

    groups = read_groups(path)
    ids = {query for own in groups.values() for query in own}
    parts = []
    for cell in evaluation.cells:
        if cell.control != NONE:
            continue
        values = values_of(evaluation, cell.task, cell.shots)
        if ids & values.keys():
            found = bias_markdown(bias_of(values, groups))
            parts.append(f"## {cell.task}, {cell.shots} shots ({cell.metric})\n\n{found}")
    if not parts:
        raise DataError(
            f"No id of {path} is that of a query of {evaluation.folder}; {min(ids)!r} is none, for "
            "instance.\nIts ids must be those in the field `query` of predictions.jsonl."
        )
    return "\n".join(parts)
