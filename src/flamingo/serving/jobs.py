"""What the engine is asked to do, apart from who asks and over what."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from flamingo.prompting import Template
from flamingo.sequence import Interleaved


@dataclass(frozen=True)
class Prompt:
    """A document that is open for its answer, cut where what others may share ends.

    Attributes:
        before: closed examples or turns, which are read once for all prompts that begin with them;
            may be empty.
        query: what follows them, open for the answer.
    """

    before: Interleaved
    query: Interleaved

    @cached_property
    def whole(self) -> Interleaved:
        """Both parts."""
        return self.before + self.query

    @property
    def num_bytes(self) -> int:
        """Of all pixels."""
        return sum(visual.frames.nbytes for visual in self.whole.visuals)


@dataclass(frozen=True)
class Write:
    """Continues a prompt word by word.

    Args:
        prompt: where to begin.
        max_new_tokens: of each answer, at most.
        num_answers: that are wanted of the one prompt.
        temperature: 0 takes the likeliest token each time.
        top_p: samples from the likeliest tokens that have this share together.
        seed: of the sampling; the same seed gives the same answers, whoever asks at the same time.
        stop: texts that end an answer, and do not belong to it.
        num_alternatives: tokens that are told beside each chosen one, with their log-probabilities.
    """

    prompt: Prompt
    max_new_tokens: int
    num_answers: int = 1
    temperature: int | float = 0.0
    top_p: int | float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    num_alternatives: int = 0


@dataclass(frozen=True)
class Search:
    """Continues a prompt by beam search, as the paper does for open-ended tasks.

    Args:
        prompt: where to begin.
        max_new_tokens: of the answer, at most.
        num_beams: width of the search.

    Paper: App. B.1.5.
    """

    prompt: Prompt
    max_new_tokens: int
    num_beams: int = 3


@dataclass(frozen=True)
class Choose:
    """Takes the likeliest of some answers, as the paper does for close-ended tasks.

    Args:
        prompt: where to begin.
        choices: without the space that `template` puts before them.
        template: how an answer continues the prompt.

    Paper: Sec. 3.1, App. B.1.5.
    """

    prompt: Prompt
    choices: tuple[str, ...]
    template: Template


@dataclass(frozen=True)
class Explain:
    """Says where an answer looked, and what each support did for it.

    Args:
        supports: each one closed, in the order of the prompt.
        query: what follows them, open for the answer.
        answer: that is explained, without the space that `template` puts before it.
        template: how an answer continues the prompt.
        instruction: what begins the prompt, with or without supports.
    """

    supports: tuple[Interleaved, ...]
    query: Interleaved
    answer: str
    template: Template
    instruction: Interleaved = field(default_factory=Interleaved)

    @property
    def prompt(self) -> Prompt:
        """The instruction, all supports and the query."""
        return Prompt(Interleaved.of(self.instruction, *self.supports), self.query)


Job = Write | Search | Choose | Explain
