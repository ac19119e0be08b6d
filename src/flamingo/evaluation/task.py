"""What evaluation needs to know of a task and of its episodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

from flamingo.prompting import Example, Template
from flamingo.sequence import Interleaved


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
    def answer(self) -> str:
        """What is right."""

    @property
    def candidates(self) -> tuple[str, ...]:
        """The answers to choose from; none if the answer is open."""


E = TypeVar("E", bound=Episode)


@runtime_checkable
class Task(Protocol[E]):
    """A supply of episodes."""

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

    def prompt(self, episode: E) -> Interleaved:
        """The episode as the model reads it."""

    def chance_at(self, num_shots: int) -> float:
        """The share that is right without looking, by guessing or by copying from the shots."""
