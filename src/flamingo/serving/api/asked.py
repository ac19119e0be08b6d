"""What routes that ask the model have in common: who asks, what is seen, how long it may take."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request

from flamingo.sequence import Visual
from flamingo.serving.api.error_answers import Refused
from flamingo.serving.api.service import Service
from flamingo.serving.asking import events_of
from flamingo.serving.errors import Busy, JobTimeout, Stopping, TooLarge
from flamingo.serving.events import Done, Event
from flamingo.serving.jobs import Job
from flamingo.serving.media import MediaRequest

_Made = TypeVar("_Made")
_CHARACTERS = 64
"""Of a token: no text that may be read has more on average."""


@dataclass(frozen=True)
class Stamp:
    """What each answer begins with.

    Args:
        model: that answers.
        prefix: of the id.
    """

    model: str
    prefix: str
    created: int = field(default_factory=lambda: int(time.time()))
    number: str = field(default_factory=lambda: uuid.uuid4().hex[:24])

    def fields(self) -> dict[str, Any]:
        """As answers and chunks have them."""
        return {
            "id": f"{self.prefix}-{self.number}",
            "created": self.created,
            "model": self.model,
        }


def owner_of(request: Request) -> str:
    """Whose key was given; empty where none is needed."""
    return str(request.scope.get("state", {}).get("owner", ""))


def client_of(request: Request) -> str:
    """Who takes turns with others: the owner of a key, or else an address."""
    return owner_of(request) or (request.client.host if request.client else "")


def check_model(service: Service, name: str | None) -> None:
    """Refuses another model than the one that is served.

    Raises:
        Refused: there is no such model.
    """
    if name is not None and name != service.model:
        raise Refused(
            f"There is no model {name[:200]!r} here. The one that answers is {service.model!r}.",
            "model",
            "model_not_found",
            404,
        )


def check_most(param: str, value: int, most: int) -> None:
    """Refuses a number above the server's limit.

    Raises:
        Refused: it is above.
    """
    if value > most:
        raise Refused(
            f"{param} is {value}, but this server takes at most {most}.", param, "above_limit"
        )


def check_texts(service: Service, texts: Iterable[str]) -> None:
    """Refuses texts that are so long that counting their tokens would hold up others.

    Raises:
        TooLarge: they are far longer than a prompt may be.
    """
    number, most = sum(map(len, texts)), _CHARACTERS * service.limits.prompt_tokens
    if number > most:
        raise TooLarge(
            f"The texts have {number:,} characters, and a prompt may have "
            f"{service.limits.prompt_tokens:,} tokens. Send less text."
        )


def check_open(service: Service) -> None:
    """Refuses work early, before anything is decoded for it.

    Raises:
        Stopping: the server takes nothing new.
        Busy: as much waits as may.
    """
    if service.engine.is_stopping:
        raise Stopping("The server is stopping and takes no new requests.")
    waiting = service.engine.stats().num_waiting
    if waiting >= service.limits.queued:
        raise Busy(f"{waiting} requests wait already. Try again a little later.")


async def seen(
    service: Service, wanted: Sequence[MediaRequest], make: Callable[[list[Visual]], _Made]
) -> _Made:
    """Reads visuals and makes something of them, both in threads.

    Args:
        service: reads.
        wanted: what is to be read.
        make: is given the visuals.

    Raises:
        Busy: as much waits as may.
        JobTimeout: it takes longer than a request may.
        MediaError: a visual cannot be read.
        Stopping: the server takes nothing new.
        TooLarge: a visual, or all together, are above a limit.
    """
    check_open(service)
    try:
        async with asyncio.timeout(service.limits.seconds):
            visuals = await service.media.read(wanted)
            return await asyncio.to_thread(_made, make, visuals)
    except TimeoutError:
        raise JobTimeout(
            f"Reading the request's {len(wanted)} visuals took longer than "
            f"{service.limits.seconds:g} s. Send fewer or smaller ones."
        ) from None


def _made(make: Callable[[list[Visual]], _Made], visuals: list[Visual]) -> _Made:
    for visual in visuals:
        # The engine knows visuals by it; here it takes none of the engine's time.
        visual.fingerprint()
    return make(visuals)


async def counted_events(
    service: Service, job: Job, client: str, since: float | None = None
) -> AsyncIterator[Event]:
    """The events of a job, whose usage is counted; `since` is when its request came."""
    events: Any = events_of(service.engine, job, client=client, since=since)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Done):
                service.metrics.used(event.usage)
            yield event
