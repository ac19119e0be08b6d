"""`POST /v1/chat/completions`, as OpenAI's clients speak it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from flamingo.sequence import Visual
from flamingo.serving.api.admission import let_go
from flamingo.serving.api.asked import (
    Stamp,
    check_model,
    check_most,
    check_texts,
    client_of,
    counted_events,
    owner_of,
    seen,
)
from flamingo.serving.api.bodies import body_of, described_body, json_answer
from flamingo.serving.api.chat_answers import ChatCompletion
from flamingo.serving.api.chat_schemas import ChatRequest, Message, TextPart
from flamingo.serving.api.chat_writing import chunks, whole
from flamingo.serving.api.conversation import Turn
from flamingo.serving.api.error_answers import Refused
from flamingo.serving.api.leaving import STREAMED, EventStream, first_of, unless_gone
from flamingo.serving.api.service import Service
from flamingo.serving.api.visual_schemas import media_request
from flamingo.serving.errors import TooLarge
from flamingo.serving.events import Event
from flamingo.serving.jobs import Write
from flamingo.serving.media import MediaRequest

_MOST_STOPS, _LONGEST_STOP = 4, 500
_PARTS_PER_TOKEN = 2
"""More than a prompt can have: each message and each part of one is a token at least."""
_TOKENS = 256
"""Of an answer at most, where a request says nothing."""


def chat_router(service: Service) -> APIRouter:
    """The route, for this service."""
    router = APIRouter(tags=["chat"])

    @router.post(
        "/v1/chat/completions",
        response_model=ChatCompletion,
        responses=STREAMED,
        openapi_extra=described_body(ChatRequest),
        summary="Continue a conversation of text, images and clips",
    )
    async def complete(request: Request) -> Response:
        """Answers as OpenAI's API does; with `stream` as server-sent events."""
        body = await body_of(request, ChatRequest)
        _check(body, service)
        stamp = Stamp(service.model, "chatcmpl")
        events: Any = _events(service, body, request)
        # Only `_events` has all of it now, and drops it in time.
        body = body.model_copy(update={"messages": []})
        if not body.stream:
            answer = whole(events, stamp, tells_logprobs=bool(body.logprobs))
            return json_answer(await unless_gone(request, answer))
        first = await first_of(request, events)
        return EventStream(chunks(first, events, stamp, body))

    return router


async def _events(service: Service, body: ChatRequest, request: Request) -> AsyncIterator[Event]:
    since = time.monotonic()
    wanted, make = _turns(body.messages, service, owner_of(request))
    most = body.max_completion_tokens or body.max_tokens
    prompt = await seen(
        service, wanted, lambda visuals: service.conversations.prompt(make(visuals))
    )
    job = Write(
        prompt,
        max_new_tokens=most or min(_TOKENS, service.limits.new_tokens),
        num_answers=body.n or 1,
        temperature=body.temperature or 0.0,
        top_p=1.0 if body.top_p is None else body.top_p,
        seed=body.seed,
        stop=body.stops,
        num_alternatives=body.top_logprobs or 0,
    )
    # Files are most of a body, and were seen: now they make room for those of others.
    del body, wanted
    let_go(request)
    events: Any = counted_events(service, job, client_of(request), since)
    async with aclosing(events):
        async for event in events:
            yield event


def _check(body: ChatRequest, service: Service) -> None:
    check_model(service, body.model)
    if (name := body.unsupported()) is not None:
        raise Refused(
            f"{name} cannot be honored by this server. Leave it out.", name, "unsupported_parameter"
        )
    limits = service.limits
    check_most("n", body.n or 1, limits.answers)
    for name in ("max_tokens", "max_completion_tokens"):
        check_most(name, getattr(body, name) or 1, limits.new_tokens)
    if body.max_tokens and body.max_completion_tokens not in (None, body.max_tokens):
        raise Refused(
            f"max_tokens is {body.max_tokens} and max_completion_tokens "
            f"{body.max_completion_tokens}; they mean the same. Give one.",
            "max_tokens",
        )
    if body.top_logprobs and not body.logprobs:
        raise Refused("top_logprobs needs logprobs to be true.", "top_logprobs")
    if body.stream_options is not None and not body.stream:
        raise Refused("stream_options needs stream to be true.", "stream_options")
    check_most("stop", len(body.stops), _MOST_STOPS)
    if not all(0 < len(stop) <= _LONGEST_STOP for stop in body.stops):
        raise Refused(f"A stop text has from 1 to {_LONGEST_STOP} characters.", "stop")
    num_parts = sum(len(m.content) for m in body.messages if isinstance(m.content, list))
    if len(body.messages) + num_parts > _PARTS_PER_TOKEN * limits.prompt_tokens:
        raise TooLarge(
            f"The conversation has {len(body.messages):,} messages and {num_parts:,} parts, far "
            f"more than {limits.prompt_tokens:,} tokens can hold. Send fewer."
        )
    _check_messages(body.messages)


def _check_messages(messages: list[Message]) -> None:
    last = len(messages) - 1
    if messages[last].role != "user":
        raise Refused(
            f"The last message is of the role {messages[last].role!r}, but what is answered is a "
            "turn of the user's. Put it last.",
            f"messages[{last}].role",
        )
    for number, message in enumerate(messages):
        texts = (
            [message.content]
            if isinstance(message.content, str)
            else [part.text if isinstance(part, TextPart) else "visual" for part in message.content]
        )
        if not any(texts):
            raise Refused("The message is empty.", f"messages[{number}].content")


def _turns(
    messages: list[Message], service: Service, owner: str
) -> tuple[list[MediaRequest], Callable[[list[Visual]], list[Turn]]]:
    """What is to be read for the conversation, and what makes its turns of that."""
    wanted: list[MediaRequest] = []
    # Each part is a text, or the number of a visual.
    outline: list[tuple[str, list[str | int]]] = []
    for number, message in enumerate(messages):
        role = "system" if message.role == "developer" else message.role
        parts: list[str | int] = []
        content = message.content
        for place, part in enumerate([content] if isinstance(content, str) else content):
            if isinstance(part, str):
                parts.append(part)
            elif isinstance(part, TextPart):
                parts.append(part.text)
            else:
                param = f"messages[{number}].content[{place}].{part.type}"
                source = part.source()
                parts.append(len(wanted))
                wanted.append(media_request(source, param, service.files, owner))
        outline.append((role, parts))
    check_texts(service, (p for _, parts in outline for p in parts if isinstance(p, str)))

    def make(visuals: list[Visual]) -> list[Turn]:
        return [
            Turn(role, tuple(visuals[part] if isinstance(part, int) else part for part in parts))
            for role, parts in outline
        ]

    return wanted, make
