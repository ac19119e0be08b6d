"""The page to teach by example, and its files."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

_FOLDER = Path(__file__).resolve().parents[1] / "page"
_FRESH = {"Cache-Control": "no-cache"}
"""A browser asks whether what it has is still the same: a server may be updated."""


class _FreshFiles(StaticFiles):
    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers.update(_FRESH)
        return answer


def add_page(app: FastAPI) -> None:
    """Serves the page at `/`, and its files under `/static`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def page() -> Response:
        return FileResponse(_FOLDER / "index.html", headers=_FRESH)

    @router.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204)

    app.include_router(router)
    app.mount("/static", _FreshFiles(directory=_FOLDER / "static"), name="static")
