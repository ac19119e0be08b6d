"""A benchmark, asked by a published protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from flamingo.evaluation.benchmarks.item import Item
from flamingo.evaluation.benchmarks.opening import check_scorable
from flamingo.evaluation.benchmarks.shots import too_few
from flamingo.evaluation.benchmarks.task import (
    NUM_TEXT_EXAMPLES,
    BenchmarkEpisode,
    BenchmarkTask,
)
from flamingo.evaluation.published.protocol import Family, Protocol, ZeroShot
from flamingo.foundation.randomness import generator
from flamingo.prompting import Example


@dataclass(frozen=True, kw_only=True)
class PublishedTask(BenchmarkTask):
    """A benchmark as a published protocol asks it; what that does not say is as always.

    Args:
        protocol: how it is asked.
        family: name of the family whose protocol it is.
    """

    protocol: Protocol
    family: str

    @classmethod
    def of(cls, task: BenchmarkTask, family: Family, *, metric: str | None = None) -> PublishedTask:
        """The benchmark by the protocol of a family that has one for it.

        Args:
            task: as it was opened.
            family: see there.
            metric: the score's, if not the protocol's.

        Raises:
            ConfigError: the metric cannot be computed here.
        """
        how = family.benchmarks[task.name]
        own: dict[str, Any] = {one.name: getattr(task, one.name) for one in fields(task)}
        own["benchmark"] = replace(
            task.benchmark,
            template=how.template,
            metric=metric or how.metric,
            max_new_tokens=how.max_new_tokens,
        )
        check_scorable(own["benchmark"])
        return cls(**own, protocol=how, family=family.name)

    @property
    def prompts(self) -> str:
        """Whose prompts these are, in words."""
        return f"published by {self.family}"

    @cached_property
    def identity(self) -> str:
        """What decides the episodes: the benchmark's, and whose protocol it is."""
        return f"{super().identity} {self.prompts}"

    def build(self, seed: int, index: int, num_shots: int) -> BenchmarkEpisode:
        """The episode of one query.

        Raises:
            MediaError: a file is missing or damaged.
            DataError: there are fewer supports than shots.
        """
        query, how = self.subsets.queries[index], self.protocol
        chosen = list(self._chosen(seed, index, num_shots))
        is_text_only = num_shots == 0
        is_shown = is_text_only and how.zero_shot is ZeroShot.DRAWN_AND_SHOWN
        seen = tuple(self._look(chosen[0] if is_shown else query, query))
        supports = []
        for item in chosen:
            rng = generator("shown answer", self.name, seed, query.id, item.id)
            shown = {self.template.answer: how.shown_answer(item, rng)}
            visuals = () if is_text_only else tuple(self._look(item, query))
            supports.append(Example(visuals, {**item.fields, **shown}))
        return BenchmarkEpisode(
            supports=tuple(supports),
            query=Example(seen, query.fields),
            references=how.references(query) if how.references else query.references,
            candidates=query.candidates or self.subsets.candidates,
            query_id=query.id,
            support_ids=tuple(item.id for item in chosen),
            details=query.details,
        )

    def read_answer(self, text: str) -> str:
        """The answer in what the model wrote, as it is scored."""
        return self.protocol.answer_in(text)

    def _chosen(self, seed: int, index: int, num_shots: int) -> Iterator[Item]:
        """The supports of a query, or the examples that stand for them as text."""
        how, supports = self.protocol, self.subsets.supports
        number = num_shots or NUM_TEXT_EXAMPLES
        if num_shots == 0 and how.zero_shot is ZeroShot.NOTHING:
            return
        if num_shots == 0 and how.zero_shot is ZeroShot.FIRST:
            if len(supports) < number:
                raise too_few(self.subsets.queries[index], len(supports), number)
            yield from supports[:number]
        else:
            yield from (supports[place] for place in self.shots.choose(seed, index, number))
