"""A job from acceptance to its last word."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flamingo.serving.events import Done, Event, Failed, Usage
from flamingo.serving.jobs import Job


@dataclass(eq=False)
class Accepted:
    """A job that was accepted, and what becomes of it.

    Attributes:
        job: what is asked.
        deliver: is given each event, on the engine's thread.
        client: who asks.
        deadline: on the clock of `time.monotonic`.
        is_cancelled: nobody waits for it any more.
        has_said: something was delivered.
        is_over: `Done` or `Failed` was delivered.
        num_bytes: of its pixels.
    """

    job: Job
    deliver: Callable[[Event], None]
    client: str
    deadline: float
    num_bytes: int
    is_cancelled: bool = False
    has_said: bool = False
    is_over: bool = False
    accepted_at: float = field(default_factory=time.monotonic)
    begun_at: float | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    new_tokens: int = 0

    @property
    def is_unwanted(self) -> bool:
        """Whether work on it would be for nothing."""
        return self.is_cancelled or self.is_over or time.monotonic() >= self.deadline

    def begin(self, cached_tokens: int) -> None:
        """Notes that the work begins, and how many tokens of the prompt were read before."""
        self.begun_at = time.monotonic()
        self.cached_tokens = cached_tokens

    def say(self, event: Event) -> None:
        """Delivers an event, unless all was said or nobody listens."""
        if self.is_over or self.is_cancelled:
            return
        self.has_said, self.is_over = True, isinstance(event, Done | Failed)
        try:
            self.deliver(event)
        except Exception:
            # Whoever waited is gone: an event loop that was closed.
            self.is_cancelled = True

    def finish(self) -> None:
        """Says that all is done, and what it took."""
        now = time.monotonic()
        begun = now if self.begun_at is None else self.begun_at
        self.say(
            Done(
                Usage(
                    self.prompt_tokens,
                    self.cached_tokens,
                    self.new_tokens,
                    len(self.job.prompt.whole.visuals),
                    begun - self.accepted_at,
                    now - self.accepted_at,
                )
            )
        )
