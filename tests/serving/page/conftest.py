"""A browser, and pages of it that watch over what they load."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.serving.api.running import Running
from tests.serving.page.watched import Watched


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    playwright = pytest.importorskip("playwright.sync_api")
    if program is None:
        pytest.skip("there is no chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any, server: Running) -> Iterator[Callable[..., Watched]]:
    """Opens the page of the server; at the end nothing may have gone wrong on it."""
    pages: list[Watched] = []

    def open_page(url: str = "", **settings: Any) -> Watched:
        pages.append(Watched.visit(browser, url or server.url, **settings))
        return pages[-1]

    yield open_page
    for page in pages:
        page.check()
        page.close()
