"""All routes and what surrounds them, as one ASGI app."""

from __future__ import annotations

from importlib import metadata
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from flamingo.serving.api.admission import Admission, KeyCheck
from flamingo.serving.api.bodies import hoisted
from flamingo.serving.api.chat import chat_router
from flamingo.serving.api.docs_page import docs_router
from flamingo.serving.api.error_answers import error_answer
from flamingo.serving.api.few_shot import few_shot_router
from flamingo.serving.api.file_routes import file_router
from flamingo.serving.api.heads import HeadAsGet
from flamingo.serving.api.health import health_router
from flamingo.serving.api.models import model_router
from flamingo.serving.api.observed import Observed
from flamingo.serving.api.page import add_page
from flamingo.serving.api.service import Service
from flamingo.serving.api.sites import SiteCheck
from flamingo.serving.api.support_set_routes import support_set_router
from flamingo.serving.api.validation import invalid
from flamingo.serving.body_limit import BodyLimit

_BODY_SECONDS = 60.0
"""In which a body has to be there."""

_DESCRIPTION = """\
A visual language model that learns a task from the examples in its prompt.

Where the server has API keys, /v1 and /metrics need one: "Authorization: Bearer KEY"."""


class ErrorFacts(BaseModel):
    """What went wrong, with the field that is to blame and a word for programs."""

    message: str
    type: Literal[
        "invalid_request_error",
        "authentication_error",
        "rate_limit_error",
        "timeout_error",
        "server_error",
    ]
    param: str | None
    code: str | None


class ErrorAnswer(BaseModel):
    """Every error, whatever its status."""

    error: ErrorFacts


_ERRORS = {
    400: "The request cannot be honored as it is",
    401: "A key is needed",
    403: "A page of another site asks, or the server is asked by a name it does not know",
    404: "There is no such thing",
    405: "The address does not take this method",
    408: "It took too long",
    409: "The name is taken",
    413: "Something is above a limit",
    415: "The body is not of this type, or does not say of which it is",
    429: "Too much is asked at the same time; Retry-After says when to come back",
    503: "The server is stopping",
    507: "There is no room to keep it",
}


def create_app(service: Service) -> FastAPI:
    """The app of a service whose engine is started by who has made it."""
    app = FastAPI(
        title="Flamingo",
        version=metadata.version("flamingo-vlm"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={
            status: {"model": ErrorAnswer, "description": text} for status, text in _ERRORS.items()
        },
        exception_handlers={
            HTTPException: _answer_error,
            RequestValidationError: _answer_invalid,
        },
    )
    for router in (
        chat_router(service),
        few_shot_router(service),
        support_set_router(service),
        file_router(service),
        model_router(service),
        health_router(service),
        service.metrics.router(),
        docs_router(app),
    ):
        app.include_router(router)
    add_page(app)
    _describe(app)
    # The last one is the outermost.
    limits = service.limits
    app.add_middleware(HeadAsGet)
    app.add_middleware(BodyLimit, most_bytes=limits.request_bytes, seconds=_BODY_SECONDS)
    app.add_middleware(Admission, limits=limits)
    app.add_middleware(KeyCheck, keys=service.keys)
    app.add_middleware(SiteCheck, names=None if service.keys else service.host_names)
    app.add_middleware(Observed, metrics=service.metrics)
    return app


async def _answer_error(request: Request, error: Exception) -> Response:
    return error_answer(error)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return error_answer(invalid(error))


def _describe(app: FastAPI) -> None:
    """Has the OpenAPI document made once, with the bodies that routes read themselves."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            for path in document["paths"].values():
                for operation in path.values():
                    # Requests that are not as described are answered with 400 here.
                    operation["responses"].pop("422", None)
            app.openapi_schema = _secured(hoisted(document))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _secured(document: dict[str, Any]) -> dict[str, Any]:
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for address, path in document["paths"].items():
        if address.startswith(("/v1", "/metrics")):
            for operation in path.values():
                # The empty one says that a server may have no keys.
                operation["security"] = [{"key": []}, {}]
    return document
