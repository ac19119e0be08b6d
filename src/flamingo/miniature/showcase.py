"""What the demo asks the bundled miniature: prompts on pictures that it was never trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from flamingo.inference.attention_maps import attention_over_query
from flamingo.inference.predictor import Answer, Predictor
from flamingo.miniature.few_shot_episodes import FewShotEpisode
from flamingo.miniature.tasks import FewShotTask, task_named

SEED = 2022
"""Of the demo's episodes; scores are measured with other seeds."""


@dataclass(frozen=True)
class Scenario:
    """One part of the demo.

    Attributes:
        title: what is shown, in a few words.
        explanation: what makes it interesting.
        task: name of the task its episodes come from.
        shots: supports in each prompt.
        queries: how many are asked.
    """

    title: str
    explanation: str
    task: str
    shots: int
    queries: int = 4


SCENARIOS = (
    Scenario(
        "Describe a picture",
        "Colors and shapes in pairs that no training picture had. The shots show the form.",
        "caption",
        4,
    ),
    Scenario(
        "Follow the format of the shots",
        "The same world, described in a form that only the shots tell.",
        "format",
        4,
    ),
    Scenario(
        "Answer questions about color",
        "Some pictures hold several things.",
        "question-color",
        4,
    ),
    Scenario("Answer questions about shape", "As above.", "question-shape", 4),
    Scenario("Count", "How many things of a kind are there?", "question-count", 4),
    Scenario(
        "Learn a new word",
        "Two invented names, bound to two looks by the shots alone.",
        "new-word-2",
        8,
    ),
    Scenario(
        "Find the rule",
        "The shots answer with one attribute; which one is for the model to find out.",
        "rule-shape",
        8,
    ),
    Scenario("Watch a clip", "Eight frames of something that moves or changes.", "clip-motion", 4),
    Scenario(
        "Real handwriting",
        "Digits of scikit-learn, written by people; nothing like them was in training.",
        "digits-2",
        16,
    ),
)


@dataclass(frozen=True)
class Asked:
    """One query of the demo with its answer.

    Attributes:
        episode: supports, query and right answer.
        answer: what the model said.
        attention: where it looked, per frame of the query and position.
    """

    episode: FewShotEpisode
    answer: Answer
    attention: Float[Tensor, "frames positions"]

    @property
    def is_right(self) -> bool:
        """Whether the answer is the right one, letter for letter."""
        return self.answer.text == self.episode.answer


@dataclass(frozen=True)
class Shown:
    """One part of the demo with its answers."""

    scenario: Scenario
    task: FewShotTask
    asked: tuple[Asked, ...]

    @property
    def num_right(self) -> int:
        """How many answers are right."""
        return sum(one.is_right for one in self.asked)


def show(predictor: Predictor) -> Iterator[Shown]:
    """Asks everything, part by part."""
    for scenario in SCENARIOS:
        task = task_named(scenario.task)
        episodes = [task.build(SEED, index, scenario.shots) for index in range(scenario.queries)]
        asked = tuple(_ask(predictor, task, episode) for episode in episodes)
        yield Shown(scenario, task, asked)


def _ask(predictor: Predictor, task: FewShotTask, episode: FewShotEpisode) -> Asked:
    prompt = task.prompt(episode)
    if episode.candidates:
        answer = predictor.choose(prompt, episode.candidates, task.template)
    else:
        answer = predictor.complete([prompt], max_new_tokens=12)[0]
    return Asked(episode, answer, attention_over_query(predictor, prompt))
