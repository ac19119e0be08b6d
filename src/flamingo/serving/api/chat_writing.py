"""From the engine's events to a chat's answer, whole or chunk by chunk."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

from flamingo.serving.api.asked import Stamp
from flamingo.serving.api.chat_answers import (
    AnswerMessage,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    Delta,
    TokenUsage,
    logprobs_of,
)
from flamingo.serving.api.chat_schemas import ChatRequest
from flamingo.serving.api.error_answers import described
from flamingo.serving.events import Done, Event, FinishReason, Token, Usage, Wrote

DONE = "[DONE]"
"""Ends a stream."""


class Written:
    """An answer as far as it is written."""

    def __init__(self) -> None:
        self.text = ""
        self.tokens: list[Token] = []
        self.finish: FinishReason = "stop"
        self.score = 0.0

    def add(self, piece: Wrote) -> None:
        """Adds a further piece."""
        self.text += piece.text
        self.tokens += piece.tokens
        self.finish = piece.finish or self.finish
        self.score = piece.score


async def whole(
    events: AsyncIterator[Event], stamp: Stamp, *, tells_logprobs: bool
) -> ChatCompletion:
    """All answers, once all are written.

    Args:
        events: of a `Write`.
        stamp: of the answer.
        tells_logprobs: whether tokens are told.
    """
    answers: dict[int, Written] = {}
    usage = Usage()
    source: Any = events
    async with aclosing(source):
        async for event in source:
            if isinstance(event, Wrote):
                answers.setdefault(event.number, Written()).add(event)
            elif isinstance(event, Done):
                usage = event.usage
    choices = [
        Choice(
            index=number,
            message=AnswerMessage(content=answer.text),
            logprobs=logprobs_of(answer.tokens) if tells_logprobs else None,
            finish_reason=answer.finish,
        )
        for number, answer in sorted(answers.items())
    ]
    return ChatCompletion(**stamp.fields(), choices=choices, usage=TokenUsage.of(usage))


async def chunks(
    first: Event, events: AsyncIterator[Event], stamp: Stamp, body: ChatRequest
) -> AsyncIterator[str]:
    """The data of a stream's events, up to and with `[DONE]`.

    Args:
        first: the first event.
        events: of a `Write`, those that follow.
        stamp: of all chunks.
        body: what is told.
    """
    tells_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
    begun: set[int] = set()
    source: Any = events
    async with aclosing(source):
        try:
            event = first
            while True:
                for choices, usage in _told(event, begun, body):
                    if usage is None or tells_usage:
                        chunk = ChatCompletionChunk(**stamp.fields(), choices=choices, usage=usage)
                        yield chunk.data(tells_usage=tells_usage)
                event = await anext(source)
        except StopAsyncIteration:
            pass
        except Exception as error:  # the status is sent already: the error is part of the stream
            yield json.dumps(described(error)[1])
    yield DONE


def _told(
    event: Event, begun: set[int], body: ChatRequest
) -> Iterator[tuple[list[ChunkChoice], TokenUsage | None]]:
    """What one event tells: pieces of an answer, or what all of them took."""
    if isinstance(event, Done):
        yield [], TokenUsage.of(event.usage)
    if not isinstance(event, Wrote):
        return
    if event.number not in begun:
        begun.add(event.number)
        yield [ChunkChoice(index=event.number, delta=Delta(role="assistant", content=""))], None
    tokens = event.tokens if body.logprobs else ()
    if event.text or tokens:
        logprobs = logprobs_of(tokens) if body.logprobs else None
        delta = Delta(content=event.text)
        yield [ChunkChoice(index=event.number, delta=delta, logprobs=logprobs)], None
    if event.finish is not None:
        last = ChunkChoice(index=event.number, delta=Delta(), finish_reason=event.finish)
        yield [last], None
