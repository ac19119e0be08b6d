"""Several evaluations beside each other, and beside the paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flamingo.evaluation.comparison import Evaluated
    from flamingo.evaluation.folder import Evaluation
    from flamingo.evaluation.metrics.outcome import Metric, Outcome
    from flamingo.evaluation.paper_table import Printed
    from flamingo.evaluation.results import CellKey

TABLE, PICTURE = "comparison.md", "comparison.png"


def compare(folders: Sequence[Path], out: Path, paper_model: str) -> list[Path]:
    """Writes the table of all models with their differences, and their curves in one picture.

    Args:
        folders: of `flamingo evaluate`, at least two.
        out: for the files.
        paper_model: the paper's model whose scores stand beside ours, such as "3B".

    Raises:
        FlamingoError: a folder holds no evaluation, or matplotlib is missing.
    """
    from flamingo.evaluation.comparison import differences
    from flamingo.evaluation.comparison_plot import plot_comparison
    from flamingo.evaluation.comparison_table import comparison_markdown
    from flamingo.evaluation.folder import read_evaluation
    from flamingo.evaluation.paper_conditions import is_validation
    from flamingo.foundation.records import write_text_atomically

    named = _named(folders)
    evaluations = {name: read_evaluation(folder) for name, folder in named.items()}
    models = [_evaluated(name, one) for name, one in evaluations.items()]
    metrics = _metrics(evaluations.values())
    pairs = [differences(one, other, metrics) for one, other in combinations(models, 2)]
    text = comparison_markdown(models, pairs)
    for name, evaluation in evaluations.items():
        if beside := beside_the_paper(evaluation, paper_model):
            text += f"\n## {name} and the paper\n\n{beside}"
    out.mkdir(parents=True, exist_ok=True)
    write_text_atomically(out / TABLE, text)
    printed = {
        task: scores
        for task, scores in printed_scores().items()
        if not any(is_validation(one.sources.get(task)) for one in evaluations.values())
    }
    plot_comparison({one.model: one.cells for one in models}, out / PICTURE, printed)
    return [out / TABLE, out / PICTURE]


def printed_scores() -> Printed:
    """The paper's scores by benchmark, model and number of shots."""
    from flamingo.evaluation.benchmarks.registry import BENCHMARKS

    return {name: one.paper for name, one in BENCHMARKS.items() if one.paper}


def beside_the_paper(evaluation: Evaluation, paper_model: str) -> str:
    """Our scores of benchmarks beside the paper's, as Markdown; "" where it has none of them.

    Scores of a validation split are left out: the paper prints none. What else was done otherwise
    than in the paper is told below the table.

    Args:
        evaluation: ours.
        paper_model: one of the paper's, or one of `PUBLISHED_MODELS`, whose own paper is meant.
    """
    from flamingo.evaluation.benchmarks.paper_scores import MODELS
    from flamingo.evaluation.benchmarks.published_scores import PUBLISHED_SCORES, family_name
    from flamingo.evaluation.benchmarks.registry import BENCHMARKS
    from flamingo.evaluation.benchmarks.task import THE_BENCHMARKS
    from flamingo.evaluation.paper_conditions import conditions_note, is_validation
    from flamingo.evaluation.paper_table import paper_markdown

    is_papers = paper_model in MODELS
    printed = printed_scores() if is_papers else PUBLISHED_SCORES
    prompts = THE_BENCHMARKS if is_papers else f"published by {family_name(paper_model)}"
    own = [cell for cell in evaluation.cells if cell.task in printed]
    notes = [
        conditions_note(
            BENCHMARKS[name],
            evaluation.sources.get(name),
            [cell for cell in own if cell.task == name],
            prompts,
        )
        for name in dict.fromkeys(cell.task for cell in own)
    ]
    kept = [cell for cell in own if not is_validation(evaluation.sources.get(cell.task))]
    return paper_markdown(kept, printed, paper_model, list(filter(None, notes))) if kept else ""


def _named(folders: Sequence[Path]) -> Mapping[str, Path]:
    """Folders by the shortest end of their paths that tells them apart."""
    resolved = [folder.resolve() for folder in folders]
    for length in range(1, max(len(path.parts) for path in resolved) + 1):
        names = ["/".join(path.parts[-length:]) for path in resolved]
        if len(set(names)) == len(names):
            break
    return dict(zip(names, folders, strict=True))


def _evaluated(name: str, evaluation: Evaluation) -> Evaluated:
    from flamingo.evaluation.comparison import Evaluated

    outcomes: dict[CellKey, dict[str, Outcome]] = {}
    for task, answers in evaluation.answers_by_task().items():
        for one in answers:
            outcomes.setdefault((task, one.shots, one.control), {})[one.query] = one.outcome
    return Evaluated(name, evaluation.cells, outcomes)


def _metrics(evaluations: Iterable[Evaluation]) -> dict[str, Metric]:
    from flamingo.evaluation.metrics.registry import metric_named

    return {task: metric_named(one.metric_of(task)) for one in evaluations for task in one.tasks}
