"""What a model answered in an evaluation, beside the pictures that it was asked about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flamingo.inference.attention_maps import attention_over_query
from flamingo.inference.predictor import Answer, Predictor
from flamingo.miniature.few_shot_episodes import FewShotEpisode
from flamingo.miniature.report import overlay
from flamingo.miniature.samples import example_tiles
from flamingo.miniature.sheets import SheetRow, Tile
from flamingo.miniature.tasks import FewShotTask


@dataclass(frozen=True)
class Reply:
    """One answer.

    Args:
        answer: what the model said, with the candidates' log-likelihoods if there were any.
        truth: what is right.
        prompt: the text that it read.
        episode: what it was shown; None where that cannot be drawn again.
    """

    answer: Answer
    truth: str
    prompt: str
    episode: FewShotEpisode | None = None

    @property
    def is_right(self) -> bool:
        """Whether the answer is the right one, letter for letter."""
        return self.answer.text == self.truth

    @property
    def tone(self) -> str:
        """The color of its captions."""
        return "right" if self.is_right else "wrong"


@dataclass(frozen=True)
class TaskReplies:
    """Some answers to one task.

    Args:
        name: of the task.
        is_held_out: whether the task was.
        shots: supports of each query.
        num_right: how many queries were answered right, letter for letter, also of those that are
            not shown.
        num_queries: how many were asked whose right answer is known.
        replies: those that are shown.
        task: draws the episodes; None where there is none any more that draws the same ones.
    """

    name: str
    is_held_out: bool
    shots: int
    num_right: int
    num_queries: int
    replies: tuple[Reply, ...]
    task: FewShotTask | None = None


def attention_rows(
    predictor: Predictor, answered: Iterable[TaskReplies], num: int = 2
) -> list[SheetRow]:
    """For each task some queries, each beside a copy that is warm where the answer looked.

    Args:
        predictor: the model that gave the answers.
        answered: tasks without pictures are left out.
        num: queries per task: the first and the last of the replies, or the first alone.
    """
    rows = []
    for one in answered:
        shown = (
            one.replies if len(one.replies) <= num else (*one.replies[: num - 1], one.replies[-1])
        )
        tiles = [tile for reply in shown for tile in _looked(predictor, one.task, reply)]
        if tiles:
            kind = "held out" if one.is_held_out else "dev"
            rows.append(SheetRow(one.name, f"{kind}, {one.shots} shots", tuple(tiles)))
    return rows


def _looked(predictor: Predictor, task: FewShotTask | None, reply: Reply) -> tuple[Tile, ...]:
    if task is None or reply.episode is None:
        return ()
    query = reply.episode.query
    seen = overlay(query.visuals[-1], attention_over_query(predictor, task.prompt(reply.episode)))
    asked = task.template.query(**query.fields) if task.template.fields else "the query"
    verdict = "right" if reply.is_right else f"but it is: {reply.truth}"
    return (
        *example_tiles(query, asked),
        Tile(seen, f"says: {reply.answer.text} ({verdict})", reply.tone),
    )
