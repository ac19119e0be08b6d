"""A benchmark as a task: its items become episodes, its pictures are loaded as they are asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from string import Formatter
from typing import Any

from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.item import Item
from flamingo.evaluation.benchmarks.media_loader import MediaLoader
from flamingo.evaluation.benchmarks.shots import Shots
from flamingo.evaluation.benchmarks.subsets import Subsets
from flamingo.evaluation.task import DamagedQuery
from flamingo.foundation.errors import MediaError
from flamingo.prompting import Example, Template, few_shot_prompt
from flamingo.sequence import Interleaved, Visual

NUM_TEXT_EXAMPLES = 2
"""Of the zero-shot prompt of an open-ended task. Paper: Sec. 3, App. A.2."""

THE_BENCHMARKS = "the benchmark's"
"""Prompts that are the same for every model; the paper's, where it has the benchmark."""


@dataclass(frozen=True)
class BenchmarkEpisode:
    """A query of a benchmark with its supports; see `Episode`."""

    supports: tuple[Example, ...]
    query: Example
    references: tuple[str, ...]
    candidates: tuple[str, ...] = ()
    query_id: str = ""
    support_ids: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BenchmarkTask:
    """A benchmark, ready to be asked; see `Task`.

    Args:
        benchmark: what it is.
        subsets: its queries and supports.
        shots: chooses supports.
        load: loads pictures and clips.
        skips_damaged: whether a query is left out whose file is missing or damaged.
        own_template: the model's own, instead of the benchmark's.
    """

    benchmark: Benchmark
    subsets: Subsets
    shots: Shots
    load: MediaLoader
    skips_damaged: bool = False
    own_template: Template | None = None

    @property
    def name(self) -> str:
        """The benchmark's name."""
        return self.benchmark.name

    @property
    def is_held_out(self) -> bool:
        """Whether the paper kept it out of every choice."""
        return self.benchmark.is_held_out

    @property
    def template(self) -> Template:
        """How an example is written."""
        return self.own_template or self.benchmark.template

    @property
    def prompts(self) -> str:
        """Whose prompts these are, in words."""
        return THE_BENCHMARKS if self.own_template is None else "the model's own"

    @property
    def metric(self) -> str:
        """Name of its metric."""
        return self.benchmark.metric

    @property
    def is_scored(self) -> bool:
        """Whether any query has a right answer."""
        return any(query.references for query in self.subsets.queries)

    @property
    def num_queries(self) -> int:
        """Queries of which the files are there."""
        return len(self.subsets.queries)

    @property
    def max_shots(self) -> int:
        """The paper's largest number of shots."""
        return self.benchmark.max_shots

    @property
    def max_new_tokens(self) -> int:
        """An open answer that is longer is cut."""
        return self.benchmark.max_new_tokens

    @cached_property
    def identity(self) -> str:
        """A hash of all that decides the episodes, but for what stands in the files of media."""
        digest = hashlib.blake2b(digest_size=16)
        for part in (self.subsets.queries, self.subsets.supports):
            for item in part:
                told = (item.id, item.fields, item.answer, item.references, item.candidates)
                names = [(media.path.name, media.start, media.end) for media in item.media]
                digest.update(repr((told, names, item.details)).encode())
        length = self.benchmark.max_new_tokens
        settings = (self.subsets.candidates, self.shots.name, self.load.sampling, length)
        digest.update(repr(settings).encode())
        if self.own_template is not None:
            digest.update(repr(self.own_template).encode())
        return digest.hexdigest()

    def build(self, seed: int, index: int, num_shots: int) -> BenchmarkEpisode:
        """The episode of one query.

        With 0 shots an open-ended task has two examples as text, without their pictures; where
        there are candidates, these show what an answer is like.

        Raises:
            MediaError: a file is missing or damaged.
            DataError: there are fewer supports than shots.
        """
        query = self.subsets.queries[index]
        candidates = query.candidates or self.subsets.candidates
        is_text_only = num_shots == 0 and not candidates
        number = NUM_TEXT_EXAMPLES if is_text_only else num_shots
        supports = self.subsets.supports
        chosen = [supports[place] for place in self.shots.choose(seed, index, number)]
        return BenchmarkEpisode(
            supports=tuple(self._support(item, query, is_text_only) for item in chosen),
            query=Example(tuple(self._look(query, query)), query.fields),
            references=query.references,
            candidates=candidates,
            query_id=query.id,
            support_ids=tuple(item.id for item in chosen),
            details=query.details,
        )

    def prompt(self, episode: BenchmarkEpisode) -> Interleaved:
        """The supports and the query as the model reads them."""
        return few_shot_prompt(episode.supports, episode.query, self.template)

    def read_answer(self, text: str) -> str:
        """What the model wrote up to where it begins another example.

        Paper: App. B.1.5; models that seldom learned to end go on with the next example.
        """
        starts = [text.find(word) for word in (*_literals(self.template), "\n")]
        return text[: min((start for start in starts if start >= 0), default=len(text))].strip()

    def chance_at(self, num_shots: int) -> float | None:
        """What a guess among the candidates is worth, where the metric is one of choosing."""
        return chance_of(self.benchmark, self.subsets)

    def shared_visuals(self) -> Iterable[Visual]:
        """What the supports show, one by one: it comes again in the prompts of many queries."""
        for media in dict.fromkeys(one for item in self.subsets.supports for one in item.media):
            yield self.load(media)

    def _support(self, item: Item, query: Item, is_text_only: bool) -> Example:
        visuals = () if is_text_only else tuple(self._look(item, query))
        return Example(visuals, {**item.fields, self.template.answer: item.answer})

    def _look(self, item: Item, query: Item) -> Iterator[Visual]:
        """What an item shows, on behalf of a query."""
        for media in item.media:
            try:
                yield self.load(media)
            except MediaError as error:
                whose = "its own file" if item is query else f"the file of its support {item.id}"
                cure = (
                    "Get the file anew. With --allow-missing, the query is left out and counted."
                    if item is query
                    else "Get the file anew. Or remove it, and evaluate into another folder with "
                    "--allow-missing."
                )
                told = str(error).split("\n")[0]
                raise DamagedQuery(
                    f"The query {query.id} of {self.benchmark.title} cannot be asked, as {whose} "
                    f"cannot be read: {told}\n{cure}",
                    is_own=item is query,
                ) from error


def chance_of(benchmark: Benchmark, subsets: Subsets) -> float | None:
    """The expected score of a random ranking of the candidates; None for other metrics."""
    if benchmark.metric == "roc-auc":
        return 0.5
    counts = [len(query.candidates or subsets.candidates) for query in subsets.queries]
    if not all(counts) or not counts:
        return None
    mean = sum(1 / count for count in counts) / len(counts)
    mean_of_five = sum(min(1.0, 5 / count) for count in counts) / len(counts)
    by_metric = {
        "top-1": mean,
        "multiple-choice-by-type": mean,
        "top-5": mean_of_five,
        "top-1-5": (mean + mean_of_five) / 2,
        "accuracy": mean,
    }
    return by_metric.get(benchmark.metric)


def _literals(template: Template) -> list[str]:
    """Words of the template that begin a field or an answer, such as "Question:" and "Output:"."""
    pieces = [literal.strip() for literal, *_ in Formatter().parse(template.prefix)]
    return [piece for piece in pieces if piece.endswith(":") and " " not in piece]
