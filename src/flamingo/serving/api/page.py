"""The page to teach by example, and its files."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

_FOLDER = Path(__file__).resolve().parents[1] / "page"
_FRESH = {"Cache-Control": "no-cache"}
"""A browser asks whether what it has is still the same: a server may be updated."""


class _FreshFiles(StaticFiles):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Gives out whole files: they are small, and a broken range has an answer of its own."""
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)

    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers.update(_FRESH)
        return answer


def add_page(app: FastAPI) -> None:
    """Serves the page at `/`, and its files under `/static`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def page() -> Response:
        return HTMLResponse((_FOLDER / "index.html").read_bytes(), headers=_FRESH)

    @router.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204)

    app.include_router(router)
    app.mount("/static", _FreshFiles(directory=_FOLDER / "static"), name="static")
