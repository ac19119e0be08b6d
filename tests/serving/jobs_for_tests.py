"""Jobs for the engine on pictures that the miniature knows, and a place to collect its events."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from flamingo.inference.predictor import Predictor
from flamingo.inference.requests import Request
from flamingo.miniature.few_shot_episodes import FewShotEpisode
from flamingo.miniature.tasks import task_named
from flamingo.serving.engine import Engine, Ticket
from flamingo.serving.events import Done, Event, Failed, Wrote
from flamingo.serving.jobs import Job, Prompt
from flamingo.serving.limits import Limits


@cache
def predictor() -> Predictor:
    return Predictor.from_pretrained("miniature", dtype="fp32", device="cpu")


def episode(index: int, shots: int, task: str = "caption") -> FewShotEpisode:
    return task_named(task).build(7, index, shots)


def request(index: int, shots: int, task: str = "caption", **given: Any) -> Request:
    own = episode(index, shots, task)
    template = task_named(task).template
    return Request(own.query, tuple(own.supports), template, **given)


def prompt(index: int, shots: int, task: str = "caption") -> Prompt:
    asked = request(index, shots, task)
    return Prompt(asked.support_prompt(), asked.query_prompt())


@contextmanager
def running(limits: Limits | None = None) -> Iterator[Engine]:
    engine = Engine(predictor(), limits or Limits())
    engine.start()
    try:
        yield engine
    finally:
        engine.stop(10)


class Asked:
    """A job that was submitted, and its events as they come."""

    def __init__(self, engine: Engine, job: Job, client: str = "") -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.ticket: Ticket = engine.submit(job, self.events.put, client=client)

    def next(self) -> Event:
        return self.events.get(timeout=60)

    def all(self) -> list[Event]:
        """The events up to the last one."""
        found = [self.next()]
        while not isinstance(found[-1], Done | Failed):
            found.append(self.next())
        return found

    def texts(self) -> list[str]:
        """The answers of a `Write`."""
        texts: dict[int, str] = {}
        for event in self.all():
            assert not isinstance(event, Failed), event.error
            if isinstance(event, Wrote):
                texts[event.number] = texts.get(event.number, "") + event.text
        return [texts[number] for number in sorted(texts)]
