"""`POST /v1/few_shot`: a query with its supports; open- or close-ended, streamed, explained."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from flamingo.serving.api.admission import let_go
from flamingo.serving.api.asked import (
    Stamp,
    check_model,
    check_most,
    check_texts,
    client_of,
    owner_of,
    seen,
)
from flamingo.serving.api.bodies import body_of, described_body
from flamingo.serving.api.error_answers import Refused
from flamingo.serving.api.few_shot_answers import FewShotAnswer
from flamingo.serving.api.few_shot_prompt import FewShotPrompts, FewShotTexts
from flamingo.serving.api.few_shot_schemas import FewShotRequest
from flamingo.serving.api.few_shot_writing import Answering, answer_data, stream_data
from flamingo.serving.api.leaving import STREAMED, EventStream, first_of
from flamingo.serving.api.service import Service
from flamingo.serving.api.visual_schemas import media_request
from flamingo.serving.jobs import Choose, Job, Search, Write
from flamingo.serving.media import MediaRequest

_TOKENS, _BEAMS, _MOST_BEAMS = 20, 3, 8
_ALTERNATIVES = 5
"""Tokens that a stream tells beside each chosen one."""


def few_shot_router(service: Service) -> APIRouter:
    """The route, for this service."""
    router = APIRouter(tags=["few-shot"])

    @router.post(
        "/v1/few_shot",
        response_model=FewShotAnswer,
        responses=STREAMED,
        openapi_extra=described_body(FewShotRequest),
        summary="Answer a query by example",
    )
    async def answer(request: Request) -> Response:
        """Answers the query as its supports show it.

        With `stream`, server-sent events: `few_shot.answer.chunk`s, the whole `few_shot.answer`,
        then `[DONE]`.
        """
        body = await body_of(request, FewShotRequest)
        _check(body, service)
        answering = Answering(
            service, Stamp(service.model, "fs"), client_of(request), bool(body.explain)
        )
        is_streamed = bool(body.stream)
        data: Any = _data(service, body, request, answering)
        del body  # Only `_data` has it now, and drops it in time.
        first = await first_of(request, data)
        if is_streamed:
            return EventStream(stream_data(first, data))
        await data.aclose()
        return Response(first, media_type="application/json")

    return router


async def _data(
    service: Service, body: FewShotRequest, request: Request, answering: Answering
) -> AsyncIterator[str]:
    texts, wanted = _read(service, body, owner_of(request))
    prompts = await seen(service, wanted, texts.prompts)
    job, is_streamed = _job(body, prompts), bool(body.stream)
    # Files are most of a body, and were seen: now they make room for those of others.
    del body, wanted
    let_go(request)
    data: Any = answer_data(answering, job, prompts, is_streamed=is_streamed)
    async with aclosing(data):
        async for one in data:
            yield one


def _check(body: FewShotRequest, service: Service) -> None:
    check_model(service, body.model)
    check_most("max_tokens", body.max_tokens or 1, service.limits.new_tokens)
    check_most("num_beams", body.num_beams or 1, _MOST_BEAMS)
    if (body.stream or body.temperature) and body.num_beams not in (None, 1):
        reason = "stream" if body.stream else "a temperature"
        raise Refused(
            f"num_beams is {body.num_beams}, but a beam search goes without {reason}: it knows "
            "its first word last. Leave one of them out.",
            "num_beams",
        )
    if body.choices is None:
        return
    if not body.choices or not all(body.choices):
        raise Refused("Choices are one or more texts, none of them empty.", "choices")
    if len(set(body.choices)) < len(body.choices):
        raise Refused("A choice is given twice.", "choices")
    check_most("choices", len(body.choices), service.limits.choices)
    for name in ("num_beams", "max_tokens", "temperature"):
        if getattr(body, name):
            raise Refused(f"{name} has no meaning where there are choices. Leave it out.", name)


def _read(
    service: Service, body: FewShotRequest, owner: str
) -> tuple[FewShotTexts, list[MediaRequest]]:
    """The texts, and what is to be seen: the supports of the set, further ones, the query."""
    supports: list[tuple[str, dict[str, str]]] = []
    wanted: list[MediaRequest] = []
    template, question = body.template, None
    if body.support_set is not None:
        kept = service.support_sets.get(owner, body.support_set)
        template, question = template or kept.template, kept.question
        for one in kept.supports:
            supports.append(("support_set", dict(one.fields)))
            wanted.append(MediaRequest(one.content, param="support_set"))
    for number, support in enumerate(body.supports):
        param = f"supports[{number}]"
        supports.append((param, support.fields()))
        wanted.append(media_request(support.visual, f"{param}.visual", service.files, owner))
    wanted.append(media_request(body.query.visual, "query.visual", service.files, owner))
    texts = FewShotTexts.of(
        supports,
        body.query.fields(),
        template=template,
        question=question,
        templates=service.templates,
    )
    check_texts(service, (*texts.written(), *(body.choices or ())))
    return texts, wanted


def _job(body: FewShotRequest, prompts: FewShotPrompts) -> Job:
    prompt, most = prompts.prompt(), body.max_tokens or _TOKENS
    if body.choices:
        return Choose(prompt, tuple(body.choices), prompts.template)
    beams = body.num_beams or (1 if body.stream or body.temperature else _BEAMS)
    if beams > 1:
        return Search(prompt, most, beams)
    return Write(
        prompt,
        most,
        temperature=body.temperature or 0.0,
        seed=body.seed,
        num_alternatives=_ALTERNATIVES if body.stream else 0,
    )
