"""What evaluation needs to know of a task and of its episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

from flamingo.foundation.errors import MediaError
from flamingo.prompting import Example, Template
from flamingo.sequence import Interleaved, Visual


class DamagedQuery(MediaError):  # noqa: N818 (what it is, not what happened)
    """A query cannot be asked, since a file is missing or damaged.

    Args:
        message: what to tell.
        is_own: whether it is the query's own file, so that others can still be asked.
    """

    def __init__(self, message: str, *, is_own: bool) -> None:
        super().__init__(message)
        self.is_own = is_own


@runtime_checkable
class Episode(Protocol):
    """A support set with its query: a dataclass, of which changed copies are made."""

    @property
    def supports(self) -> tuple[Example, ...]:
        """Examples with their answers, in the order of the prompt."""

    @property
    def query(self) -> Example:
        """An example without an answer."""

    @property
    def references(self) -> tuple[str, ...]:
        """What is right, in the order of the benchmark; none if that is hidden."""

    @property
    def candidates(self) -> tuple[str, ...]:
        """The answers to choose from; none if the answer is open."""

    @property
    def query_id(self) -> str:
        """The query's name in its benchmark; "" where it has none but its number."""

    @property
    def support_ids(self) -> tuple[str, ...]:
        """The supports' names in their benchmark, in the order of the prompt; none if unnamed."""

    @property
    def details(self) -> Mapping[str, Any]:
        """What only the metric of this task needs, see `Outcome`."""


E = TypeVar("E", bound=Episode)


@runtime_checkable
class Task(Protocol[E]):
    """A supply of episodes, and how their answers are scored."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def is_held_out(self) -> bool:
        """Whether it was kept out of training and of every choice."""

    @property
    def template(self) -> Template:
        """How an example is written."""

    @property
    def build(self) -> Callable[[int, int, int], E]:
        """Seed, index and number of shots give an episode, always the same one."""

    @property
    def metric(self) -> str:
        """Name of the metric that scores its answers, see `metric_named`."""

    @property
    def is_scored(self) -> bool:
        """Whether the right answers are known; they are not where a server keeps them."""

    @property
    def num_queries(self) -> int | None:
        """How many there are; None if more can always be drawn."""

    @property
    def max_shots(self) -> int | None:
        """The largest number of shots that makes sense; None if any does."""

    @property
    def max_new_tokens(self) -> int:
        """An open answer that is longer is cut."""

    @property
    def skips_damaged(self) -> bool:
        """Whether a query that cannot be read is left out and counted, instead of ending a run."""

    @property
    def identity(self) -> str:
        """What decides the episodes besides seed and index, such as a hash of its files."""

    def shared_visuals(self) -> Iterable[Visual]:
        """What many queries show in common, in a fixed order; nothing if each has its own."""

    def prompt(self, episode: E) -> Interleaved:
        """The episode as the model reads it."""

    def read_answer(self, text: str) -> str:
        """The answer in what the model wrote, as it is scored."""

    def chance_at(self, num_shots: int) -> float | None:
        """The share that is right without looking, by guessing or by copying from the shots.

        None where nothing can be guessed that a score would be held against.
        """
