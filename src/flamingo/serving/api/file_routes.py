"""`/v1/files`: uploads that bodies name by their id, as OpenAI's clients make them."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from flamingo.serving.api.asked import owner_of
from flamingo.serving.api.bodies import json_answer
from flamingo.serving.api.service import Service
from flamingo.serving.api.uploads import upload_of
from flamingo.serving.files import UploadedFile

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "contentMediaType": "application/octet-stream",
                            "description": "An image or a clip.",
                        },
                        "purpose": {"type": "string", "description": "As the client says."},
                    },
                }
            }
        },
    }
}


class FileObject(BaseModel):
    """A file that was uploaded."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: str
    status: Literal["processed"] = "processed"

    @classmethod
    def of(cls, file: UploadedFile) -> FileObject:
        """As the store has it."""
        return cls(
            id=file.id,
            bytes=len(file.content),
            created_at=int(file.created),
            filename=file.filename,
            purpose=file.purpose,
        )


class FileList(BaseModel):
    """All files of a client."""

    object: Literal["list"] = "list"
    data: list[FileObject]
    has_more: Literal[False] = False


class Deleted(BaseModel):
    """What is no longer there."""

    id: str
    object: str
    deleted: Literal[True] = True


def file_router(service: Service) -> APIRouter:
    """The routes, for this service."""
    router = APIRouter(prefix="/v1/files", tags=["files"])
    files = service.files

    @router.post(
        "", response_model=FileObject, openapi_extra=_BODY, summary="Upload an image or a clip"
    )
    async def create(request: Request) -> Response:
        """Keeps a file in memory, for an hour at most."""
        content, filename, purpose = await upload_of(request, service.limits.request_bytes)
        return json_answer(
            FileObject.of(files.create(owner_of(request), filename, purpose, content))
        )

    @router.get("", response_model=FileList, summary="List uploaded files")
    async def list_all(request: Request) -> Response:
        """Those of the API key."""
        found = [FileObject.of(file) for file in files.list(owner_of(request))]
        return json_answer(FileList(data=found))

    @router.get("/{file_id}", response_model=FileObject, summary="Describe an uploaded file")
    async def get(request: Request, file_id: str) -> Response:
        """Tells its size and name, not its content."""
        return json_answer(FileObject.of(files.get(owner_of(request), file_id)))

    @router.delete("/{file_id}", response_model=Deleted, summary="Forget an uploaded file")
    async def delete(request: Request, file_id: str) -> Response:
        """Forgets it at once."""
        files.delete(owner_of(request), file_id)
        return json_answer(Deleted(id=file_id, object="file"))

    return router
