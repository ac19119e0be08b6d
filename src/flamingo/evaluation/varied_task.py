"""A task whose prompts are written in another way: other order of the shots, other words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flamingo.evaluation.prompt_variants import order_variants
from flamingo.evaluation.task import Task
from flamingo.prompting import Template, few_shot_prompt
from flamingo.sequence import Interleaved


@dataclass(frozen=True)
class VariedTask:
    """A task under one variant of its prompt; all else is that task's.

    The first order with the task's own words is that task itself.

    Args:
        task: what is varied.
        order: number of the order of the shots; 0 is the task's own.
        num_orders: how many orders there are to choose from.
        template_variant: another wording with the same fields; the task's own if None.
    """

    task: Task[Any]
    order: int = 0
    num_orders: int = 1
    template_variant: Template | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)

    @property
    def template(self) -> Template:
        """How an example is written."""
        return self.template_variant or self.task.template

    @property
    def identity(self) -> str:
        """What decides the episodes: the task's, and the variant."""
        if self.order == 0 and self.template_variant is None:
            return self.task.identity
        return f"{self.task.identity} {self.order}/{self.num_orders} {self.template}"

    @property
    def build(self) -> Callable[[int, int, int], Any]:
        """The task's episodes, their supports in another order."""

        def build(seed: int, index: int, num_shots: int) -> Any:
            episode = self.task.build(seed, index, num_shots)
            orders = order_variants(len(episode.supports), self.num_orders, seed)
            # With fewer shots than the variants were made for, the first orders come again.
            places = orders[self.order % len(orders)]
            supports = tuple(episode.supports[place] for place in places)
            names = episode.support_ids
            ids = tuple(names[place] for place in places) if names else ()
            return replace(episode, supports=supports, support_ids=ids)

        return build

    def prompt(self, episode: Any) -> Interleaved:
        """The episode as the model reads it."""
        return few_shot_prompt(episode.supports, episode.query, self.template)

    def read_answer(self, text: str) -> str:
        """The answer in what the model wrote, up to where it begins another example."""
        own = self.task.read_answer(text)
        if self.template_variant is None:
            return own
        words = [word for word in self.template.prefix.split() if word.endswith(":")]
        starts = [own.find(word) for word in words]
        return own[: min((start for start in starts if start >= 0), default=len(own))].strip()

    def chance_at(self, num_shots: int) -> float | None:
        """The task's."""
        return self.task.chance_at(num_shots)
