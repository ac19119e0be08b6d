"""The miniature's few-shot tasks: some to develop with, the rest held out until the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flamingo.foundation.errors import ConfigError, nearest
from flamingo.miniature.claims import CLAIM
from flamingo.miniature.few_shot_episodes import FewShotEpisode
from flamingo.miniature.formats import HELD_OUT, PECULIAR
from flamingo.miniature.handwriting_tasks import digits_episode, glyphs_episode
from flamingo.miniature.scene_tasks import (
    NUM_PICTURES,
    captions_episode,
    clip_captions_episode,
    clip_words_episode,
    fields_said,
    formats_episode,
    motions_episode,
    new_words_episode,
    questions_episode,
    rule_episode,
)
from flamingo.miniature.talk_tasks import (
    DIALOGUE,
    claims_episode,
    dialogue_episode,
    signs_episode,
)
from flamingo.prompting.few_shot import few_shot_prompt
from flamingo.prompting.templates import CAPTION, QUESTION_ANSWER, Template
from flamingo.sequence.interleaved import Interleaved
from flamingo.sequence.visual import Visual


@dataclass(frozen=True)
class FewShotTask:
    """One task, as a supply of episodes.

    Args:
        name: how commands and reports call it.
        is_held_out: whether what it asks for was kept out of training: its names, the field of its
            rule, its format, its alphabet, or with pictures the whole form of what is asked. What
            choices were made in knowledge of its scores is in the model card. Development tasks
            ask for what training asked for too; of their pictures, only pairs are new.
        template: the text of one example.
        is_open_ended: whether the answer is written freely; else one of the episode's candidates
            is chosen.
        chance: the accuracy without looking: of a guess among the candidates, or among those that
            a question leaves; 0 where nothing can be guessed.
        build: seed, index and number of shots give an episode, always the same one. Episodes of
            one seed and index share their query, and more shots begin with the fewer ones.
        chance_with_shots: the same for who may copy from the shots, or take from them the kind of
            answer; None where shots give nothing away.
        metric: how answers are scored.
        is_scored: the right answers are always known.
        num_queries: None, since more can always be drawn.
        max_shots: None, since any number of shots makes sense.
        max_new_tokens: an open answer that is longer is cut.
        skips_damaged: nothing is read from files that could be damaged.
        identity: nothing decides the episodes but seed and index.
    """

    name: str
    is_held_out: bool
    template: Template
    is_open_ended: bool
    chance: float
    build: Callable[[int, int, int], FewShotEpisode]
    chance_with_shots: float | None = None
    metric: str = "accuracy"
    is_scored: bool = True
    num_queries: int | None = None
    max_shots: int | None = None
    max_new_tokens: int = 20
    skips_damaged: bool = False
    identity: str = ""

    def chance_at(self, num_shots: int) -> float:
        """The accuracy without looking, at a number of shots."""
        if num_shots == 0 or self.chance_with_shots is None:
            return self.chance
        return self.chance_with_shots

    def prompt(self, episode: FewShotEpisode) -> Interleaved:
        """The supports and the query as the model reads them."""
        return few_shot_prompt(episode.supports, episode.query, self.template)

    def shared_visuals(self) -> tuple[Visual, ...]:
        """Each query has visuals of its own."""
        return ()

    def read_answer(self, text: str) -> str:
        """The answer in what the model wrote: all of it."""
        return text


def task_named(name: str) -> FewShotTask:
    """The task called `name`.

    Raises:
        ConfigError: there is no such task; the message lists those that there are.
    """
    if name not in TASKS:
        raise ConfigError(f"there is no miniature task named {name!r}. {nearest(name, TASKS)}")
    return TASKS[name]


_BARE = Template("", "output")

_COPIED = 1 / 8
"""Captions are of eight pairs, so a caption that is copied from a shot is right once in eight."""


def _rule(field: str, *, is_held_out: bool) -> FewShotTask:
    """Who finds the rule and does not look chooses among three candidates."""
    num_candidates = NUM_PICTURES * len(fields_said(field))
    return FewShotTask(
        f"rule-{field}",
        is_held_out,
        CAPTION,
        False,
        1 / num_candidates,
        rule_episode(field),
        1 / NUM_PICTURES,
    )


_ALL = (
    # Development tasks: their kind is in the training data, their pairs and words are not.
    FewShotTask("caption", False, CAPTION, True, 0.0, captions_episode, _COPIED),
    FewShotTask("question-color", False, QUESTION_ANSWER, False, 1 / 8, questions_episode("color")),
    FewShotTask("question-shape", False, QUESTION_ANSWER, False, 1 / 8, questions_episode("shape")),
    FewShotTask("question-count", False, QUESTION_ANSWER, False, 1 / 4, questions_episode("count")),
    FewShotTask("clip-caption", False, CAPTION, True, 0.0, clip_captions_episode, 0.01),
    FewShotTask(
        "known-format", False, _BARE, True, 0.0, formats_episode("known format", PECULIAR), _COPIED
    ),
    _rule("color", is_held_out=False),
    _rule("shape", is_held_out=False),
    _rule("size", is_held_out=False),
    _rule("count", is_held_out=False),
    # Held-out tasks.
    FewShotTask("new-word-2", True, CAPTION, False, 1 / 2, new_words_episode(2)),
    FewShotTask("new-word-5", True, CAPTION, False, 1 / 5, new_words_episode(5)),
    _rule("texture", is_held_out=True),
    _rule("background", is_held_out=True),
    FewShotTask("format", True, _BARE, True, 0.0, formats_episode("format", HELD_OUT), _COPIED),
    FewShotTask("clip-motion", True, QUESTION_ANSWER, False, 1 / 7, motions_episode),
    FewShotTask("clip-word-2", True, CAPTION, False, 1 / 2, clip_words_episode(2)),
    FewShotTask("digits-2", True, CAPTION, False, 1 / 2, digits_episode(2)),
    FewShotTask("digits-5", True, CAPTION, False, 1 / 5, digits_episode(5)),
    FewShotTask("glyphs-2", True, CAPTION, False, 1 / 2, glyphs_episode(2)),
    FewShotTask("glyphs-5", True, CAPTION, False, 1 / 5, glyphs_episode(5)),
    FewShotTask("dialogue", True, DIALOGUE, False, 1 / 8, dialogue_episode),
    FewShotTask("sign", True, QUESTION_ANSWER, True, 0.0, signs_episode),
    FewShotTask("claim", True, CLAIM, False, 1 / 2, claims_episode),
)

TASKS: Mapping[str, FewShotTask] = {task.name: task for task in _ALL}
DEVELOPMENT_TASKS = tuple(task.name for task in _ALL if not task.is_held_out)
HELD_OUT_TASKS = tuple(task.name for task in _ALL if task.is_held_out)
