"""`/v1/few_shot/support_sets`: examples that are kept by a name."""

from __future__ import annotations

import asyncio
import mimetypes
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from flamingo.foundation.errors import MediaError
from flamingo.serving.api.asked import check_open, owner_of, seen
from flamingo.serving.api.bodies import body_of, described_body, json_answer
from flamingo.serving.api.error_answers import Refused
from flamingo.serving.api.few_shot_prompt import check_supports
from flamingo.serving.api.few_shot_schemas import SupportSetRequest
from flamingo.serving.api.giving_out import GivenOut, Room
from flamingo.serving.api.leaving import unless_gone
from flamingo.serving.api.service import Service
from flamingo.serving.api.support_set_answers import (
    DeletedSet,
    SupportSetFile,
    SupportSetList,
    SupportSetObject,
)
from flamingo.serving.api.visual_schemas import FileId, VideoUrl, VisualSource
from flamingo.serving.data_urls import content_of, is_data_url, media_type_of
from flamingo.serving.errors import JobTimeout, TooLarge
from flamingo.serving.media import MediaRequest
from flamingo.serving.support_sets import StoredSupport, SupportSet

_GIVEN_OUT = 4
"""Sets of the largest size that are given out at the same time."""
_UNKNOWN_TYPE = "image/png"
"""Readers look at the content; this only says that it is to be shown."""


def support_set_router(service: Service) -> APIRouter:
    """The routes, for this service."""
    router = APIRouter(prefix="/v1/few_shot/support_sets", tags=["few-shot"])
    sets = service.support_sets
    room = Room(_GIVEN_OUT * service.limits.request_bytes)

    @router.post(
        "",
        response_model=SupportSetObject,
        status_code=201,
        openapi_extra=described_body(SupportSetRequest),
        summary="Keep examples by a name",
    )
    async def create(request: Request) -> Response:
        """Keeps the examples for the API key that sends them, and tells their id.

        The same set may be sent again; another one of the same name needs `replace`.
        """
        body = await body_of(request, SupportSetRequest)
        owner = owner_of(request)
        made = await unless_gone(request, _create(service, body, owner))
        return json_answer(SupportSetObject.of(made), 201)

    @router.get("", response_model=SupportSetList, summary="List support sets")
    async def list_all(request: Request) -> Response:
        """Those of the API key."""
        found = await asyncio.to_thread(sets.list, owner_of(request))
        return json_answer(SupportSetList(data=[SupportSetObject.of(one) for one in found]))

    # Names may have slashes.
    @router.get("/{set_id:path}", response_model=SupportSetFile, summary="Give out a support set")
    async def get(request: Request, set_id: str) -> Response:
        """The whole set, as a file that can be kept, shared, and sent to a server again."""
        kept = await asyncio.to_thread(sets.get, owner_of(request), set_id)

        def written() -> bytes:
            return SupportSetFile.of(kept).model_dump_json().encode()

        with room.unless_failed(kept.num_bytes):
            content = await asyncio.to_thread(written)
        return GivenOut(content, room, kept.num_bytes)

    @router.delete("/{set_id:path}", response_model=DeletedSet, summary="Forget a support set")
    async def delete(request: Request, set_id: str) -> Response:
        """Forgets it at once."""
        owner = owner_of(request)
        found = await asyncio.to_thread(sets.get, owner, set_id)
        await asyncio.to_thread(sets.delete, owner, found.id)
        return json_answer(DeletedSet(id=found.id))

    return router


async def _create(service: Service, body: SupportSetRequest, owner: str) -> SupportSet:
    # What could not be asked with later is refused now.
    places = [f"supports[{number}]" for number in range(len(body.supports))]
    fields = [support.fields() for support in body.supports]
    check_supports(
        list(zip(places, fields, strict=True)),
        template=body.template,
        question=body.question,
        templates=service.templates,
    )
    check_open(service)
    files = await _files(service, body, places, owner)
    wanted = [
        MediaRequest(content, param=f"{place}.visual")
        for (content, _), place in zip(files, places, strict=True)
    ]
    await seen(service, wanted, len)
    supports = tuple(
        StoredSupport(content, kind, own)
        for (content, kind), own in zip(files, fields, strict=True)
    )
    return await asyncio.to_thread(
        service.support_sets.create,
        owner,
        body.name,
        supports,
        body.question,
        body.template,
        bool(body.replace),
    )


async def _files(
    service: Service, body: SupportSetRequest, places: list[str], owner: str
) -> list[tuple[bytes, str]]:
    """The files of all supports, within the limits of one request."""
    limits = service.limits
    if len(places) > limits.visuals:
        raise TooLarge(
            f"The set has {len(places):,} supports, more than the limit of {limits.visuals}. "
            "Leave some out."
        )
    files: list[tuple[bytes, str]] = []
    try:
        async with asyncio.timeout(limits.decode_seconds):
            for support, place in zip(body.supports, places, strict=True):
                files.append(await _file(service, support.visual, f"{place}.visual", owner))
                if (num_bytes := sum(len(content) for content, _ in files)) > limits.request_bytes:
                    raise TooLarge(
                        f"The files up to {place} have {num_bytes:,} bytes, more than the "
                        f"{limits.request_bytes:,} of a request. Leave some out."
                    )
    except TimeoutError:
        raise JobTimeout(
            f"Reading the files took longer than {limits.decode_seconds:g} s, and "
            f"{places[len(files)]} is not read. Send fewer supports, or the files themselves."
        ) from None
    return files


async def _file(
    service: Service, source: VisualSource, param: str, owner: str
) -> tuple[bytes, str]:
    """The content of a visual's file, and what kind of file it is said to be."""
    if isinstance(source, FileId):
        file = service.files.get(owner, source.file_id)
        return file.content, mimetypes.guess_type(file.filename)[0] or _UNKNOWN_TYPE
    if isinstance(source, VideoUrl):
        if source.fps or source.num_frames or source.max_frames:
            raise Refused(
                "A support set keeps whole files: which frames of a clip are looked at cannot be "
                "kept. Leave out fps, num_frames and max_frames.",
                param,
            )
        source = source.url
    try:
        if is_data_url(source):
            content = await asyncio.to_thread(content_of, source, service.limits.visual_bytes)
            return content, media_type_of(source)
        path = urlsplit(source).path
        return await service.media.fetch(source), mimetypes.guess_type(path)[0] or _UNKNOWN_TYPE
    except (MediaError, ValueError) as error:
        raise Refused(str(error), param) from error
