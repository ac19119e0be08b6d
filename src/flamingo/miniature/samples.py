"""Rows of samples: what each few-shot task shows, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable

from flamingo.miniature.few_shot_episodes import FewShotEpisode
from flamingo.miniature.sheets import SheetRow, Tile
from flamingo.miniature.tasks import FewShotTask
from flamingo.prompting.few_shot import Example
from flamingo.sequence.visual import Visual

_CELLS = 8
"""Pictures per task; of clips, which take many, there are fewer."""
_MIN_EXAMPLES = 2


def world_rows(tasks: Iterable[FewShotTask], seed: int) -> list[SheetRow]:
    """A row per task with the examples of its first episode, the answers with them.

    Args:
        tasks: whatever they show.
        seed: of the episodes.
    """
    return [_row(task, seed) for task in tasks]


def support_tiles(task: FewShotTask, episode: FewShotEpisode) -> tuple[Tile, ...]:
    """The annotated examples of an episode as the model reads them."""
    return tuple(
        tile
        for support in episode.supports
        for tile in example_tiles(support, task.template.support(**support.fields))
    )


def example_tiles(example: Example, text: str, tone: str = "plain") -> tuple[Tile, ...]:
    """The visuals of one example; the text belongs to the last one, which it follows."""
    last = len(example.visuals) - 1
    return tuple(
        Tile(visual, text if place == last else "", tone)
        for place, visual in enumerate(example.visuals)
    )


def _row(task: FewShotTask, seed: int) -> SheetRow:
    cells = _num_cells(task.build(seed, 0, 0).query.visuals)
    episode = task.build(seed, 0, max(_MIN_EXAMPLES, _CELLS // cells) - 1)
    query = episode.query
    answered = task.template.query(**query.fields) + task.template.continuation(episode.answer)
    return SheetRow(
        title=task.name,
        note=_note(task, episode),
        tiles=(*support_tiles(task, episode), *example_tiles(query, answered)),
    )


def _num_cells(visuals: tuple[Visual, ...]) -> int:
    return sum(visual.num_frames for visual in visuals)


def _note(task: FewShotTask, episode: FewShotEpisode) -> str:
    kind = "held out" if task.is_held_out else "dev"
    if not episode.candidates:
        return f"{kind}, open answers"
    return f"{kind}, {len(episode.candidates)} candidates"
