"""What `flamingo report` makes of the single answers: a page, examples, and a table of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flamingo.evaluation.answered import Answered
    from flamingo.evaluation.browsing import Selected
    from flamingo.evaluation.folder import Evaluation
    from flamingo.evaluation.prediction import Place, Prediction
    from flamingo.miniature.replies import Reply, TaskReplies
    from flamingo.miniature.tasks import FewShotTask

    Answers = Mapping[str, Sequence[Answered]]


class Answering:
    """The answers of an evaluation, read from its files twice: all in short, some in full.

    Args:
        evaluation: read from its folder.
        most: queries per task that the page of answers has.
    """

    def __init__(self, evaluation: Evaluation, most: int) -> None:
        from flamingo.evaluation.browsing import select
        from flamingo.evaluation.folder import shots_to_show, wrong_ones_first

        self.evaluation, self.most = evaluation, most
        self.answers: Answers = evaluation.answers_by_task()
        self.selected: dict[str, Selected] = {
            task: select(own, evaluation.metric_of(task), most=most)
            for task, own in self.answers.items()
        }
        self._known = {
            task: self._of_cell(task, shots)
            for task, shots in shots_to_show(evaluation.cells).items()
        }
        self._examples = {task: wrong_ones_first(own) for task, own in self._known.items()}
        wanted = {one.place for own in self._examples.values() for one in own}
        wanted.update(place for one in self.selected.values() for place in one.values)
        self._predictions: Mapping[Place, Prediction] = evaluation.predictions(wanted)

    def replies(self, drawn: Mapping[str, FewShotTask]) -> list[TaskReplies]:
        """A few answers to each task that has a score, to queries whose right answer is known."""
        from flamingo.miniature.replies import TaskReplies

        held_out = {cell.task: cell.held_out for cell in self.evaluation.cells}
        return [
            TaskReplies(
                name=name,
                is_held_out=held_out[name],
                shots=own[0].shots,
                num_right=sum(one.is_right for one in own),
                num_queries=len(own),
                replies=tuple(
                    _reply(self._predictions[one.place], drawn.get(name), self.evaluation.seed)
                    for one in self._examples[name]
                ),
                task=drawn.get(name),
            )
            for name, own in self._known.items()
            if own
        ]

    def browse(self, drawn: Mapping[str, FewShotTask], target: Path) -> list[str]:
        """Writes the page to leaf through; says which pictures are not in it, and why."""
        from flamingo.cli.report_queries import Queries
        from flamingo.evaluation.browser import browser_page
        from flamingo.evaluation.browsing import pictures_of, records_of
        from flamingo.foundation.records import write_text_atomically

        queries = Queries(self.evaluation, drawn, tuple(self.answers))
        values = {
            place: value for one in self.selected.values() for place, value in one.values.items()
        }
        page = browser_page(
            f"Answers of {self.evaluation.model}",
            records_of(values, self._predictions),
            self._notes(),
            pictures_of(self._predictions, queries),
        )
        write_text_atomically(target, page)
        return [f"Without pictures of {name}: {reason}" for name, reason in queries.lost.items()]

    def bias_by_group(self, path: Path) -> str:
        """The groups of every task that the file has queries of, at every number of shots."""
        from flamingo.evaluation.bias import bias_markdown, bias_of
        from flamingo.evaluation.browsing import values_by_query
        from flamingo.evaluation.controls import NONE
        from flamingo.evaluation.groups import read_groups
        from flamingo.foundation.errors import DataError

        groups = read_groups(path)
        ids = {query for own in groups.values() for query in own}
        parts = []
        for cell in self.evaluation.cells:
            if cell.control != NONE:
                continue
            metric = self.evaluation.metric_of(cell.task)
            values = values_by_query(self.answers[cell.task], metric, cell.shots)
            if ids & values.keys():
                found = bias_markdown(bias_of(values, groups))
                parts.append(f"## {cell.task}, {cell.shots} shots ({cell.metric})\n\n{found}")
        if not parts:
            raise DataError(
                f"No id of {path} is that of a query of {self.evaluation.folder}; {min(ids)!r} is "
                "none, for instance.\nIts ids must be those in the field `query` of "
                "predictions.jsonl."
            )
        return "\n".join(parts)

    def _of_cell(self, task: str, shots: int) -> list[Answered]:
        """The answers of a cell without a control to queries whose right answer is known."""
        from flamingo.evaluation.controls import NONE

        return [
            one
            for one in self.answers[task]
            if (one.shots, one.control) == (shots, NONE) and one.outcome.references
        ]

    def _notes(self) -> list[str]:
        notes = [f"What {self.evaluation.model} answered, from {self.evaluation.folder}."]
        if num_left_out := sum(one.num_left_out for one in self.selected.values()):
            notes.append(
                f"{num_left_out} queries with better answers are not shown: --browse N shows more "
                f"than the {self.most} worst of each task."
            )
        for task, one in self.selected.items():
            own, metric = self.answers[task], self.evaluation.metric_of(task)
            if one.num_unscored:
                notes.append(
                    f"{one.num_unscored} of {len(own)} answers to {task} are not scored, and stand "
                    f"with –: {one.why_not}."
                )
            elif not all(answer.outcome.references for answer in own):
                notes.append(
                    f"Some queries of {task} have no right answer; {metric} scores what was "
                    "answered to them all the same."
                )
        return notes


def write_beside_the_paper(evaluation: Evaluation, model: str, target: Path) -> None:
    """Writes the scores of benchmarks beside the paper's, if there are any."""
    from flamingo.cli.report_comparison import beside_the_paper
    from flamingo.foundation.records import write_text_atomically

    if table := beside_the_paper(evaluation, model):
        write_text_atomically(target, table)


def _reply(one: Prediction, task: FewShotTask | None, seed: int) -> Reply:
    from flamingo.inference.predictor import Answer
    from flamingo.miniature.replies import Reply

    best_first = tuple(sorted(one.candidates, key=lambda pair: -pair[1]))
    return Reply(
        answer=Answer(one.prediction, one.score, best_first),
        truth=one.prediction if one.is_right else one.references[0],
        prompt=one.prompt,
        episode=None if task is None else task.build(seed, one.index, one.shots),
    )
