"""From the engine's events to the answer of a few-shot request, whole or piece by piece."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

from flamingo.inference.answer import Answer
from flamingo.serving.api.asked import Stamp, counted_events
from flamingo.serving.api.chat_writing import DONE, Written
from flamingo.serving.api.error_answers import described
from flamingo.serving.api.few_shot_answers import FewShotAnswer, FewShotChunk
from flamingo.serving.api.few_shot_prompt import FewShotPrompts
from flamingo.serving.api.service import Service
from flamingo.serving.errors import Busy, JobTimeout, Stopping
from flamingo.serving.events import Answered, Done, Event, Explained, Usage, Wrote
from flamingo.serving.jobs import Job


@dataclass(frozen=True)
class Answering:
    """One request while it is answered.

    Args:
        service: answers.
        stamp: of the answer.
        client: who asks.
        explains: whether the answer is explained.
        since: when the request came, on the clock of `time.monotonic`; all of its jobs together
            have the time that one may take.
    """

    service: Service
    stamp: Stamp
    client: str
    explains: bool
    since: float = field(default_factory=time.monotonic)

    def events(self, job: Job) -> AsyncIterator[Event]:
        """What the engine says of a job."""
        return counted_events(self.service, job, self.client, self.since)


async def answer_data(
    answering: Answering, job: Job, prompts: FewShotPrompts, *, is_streamed: bool
) -> AsyncIterator[str]:
    """The pieces of the answer as they come, if it is streamed; then the whole of it; as JSON.

    Args:
        answering: the request.
        job: that gives the answer.
        prompts: what it is about.
        is_streamed: whether pieces are wanted.
    """
    written, found, usage = Written(), None, Usage()
    events: Any = answering.events(job)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Wrote):
                written.add(event)
                if is_streamed and (event.text or event.tokens):
                    chunk = FewShotChunk.of(answering.stamp, event.text, event.tokens)
                    yield chunk.model_dump_json()
            elif isinstance(event, Answered):
                found = event
            elif isinstance(event, Done):
                usage = event.usage
    if found is None:
        found = Answered(Answer(written.text, written.score), written.finish)
    answer = found.answer
    explained = None
    if answering.explains and answer.text:
        explained = await _explained(answering, prompts, answer.text)
    yield FewShotAnswer.of(answering.stamp, found, usage, explained).data()


async def stream_data(first: str, data: AsyncIterator[str]) -> AsyncIterator[str]:
    """All data of a stream, up to and with `[DONE]`; an error is part of it.

    Args:
        first: the first one.
        data: those that follow.
    """
    source: Any = data
    async with aclosing(source):
        try:
            yield first
            async for one in source:
                yield one
        except Exception as error:  # the status is sent already: the error is part of the stream
            yield json.dumps(described(error)[1])
    yield DONE


async def _explained(
    answering: Answering, prompts: FewShotPrompts, answer: str
) -> Explained | None:
    """Why; None where there is no room or no time for that: the answer stands without it."""
    explained = None
    events: Any = answering.events(prompts.explained(answer))
    with suppress(Busy, JobTimeout, Stopping):
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Explained):
                    explained = event
    return explained
