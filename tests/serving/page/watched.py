"""A page of a browser, what one does on it, and what went wrong meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 780}


@dataclass
class Watched:
    """A page that was opened on its own, as by another visitor.

    Attributes:
        page: of playwright.
        host: the only one that it may ask.
        faults: errors of scripts, refusals of the page's policy, requests to elsewhere.
    """

    page: Any
    host: str
    faults: list[str] = field(default_factory=list)

    @classmethod
    def visit(cls, browser: Any, url: str, **settings: Any) -> Watched:
        context = browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", **settings})
        watched = cls(context.new_page(), urlsplit(url).netloc)
        page = watched.page
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: watched.faults.append(str(error)))
        page.on("console", watched._console)
        page.on("request", watched._request)
        page.goto(url)
        page.wait_for_selector("html[data-ready]")
        return watched

    def _console(self, message: Any) -> None:
        # That a request was refused is the business of the test that makes it.
        if message.type in ("error", "warning") and "Failed to load" not in message.text:
            self.faults.append(message.text)

    def _request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self.host:
            self.faults.append(f"a request to {request.url}")

    def check(self) -> None:
        assert not self.faults
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def close(self) -> None:
        self.page.context.close()

    def draw(self, opener: str, *stamps: tuple[str, str, str, float, float], on: str) -> None:
        """Draws (color, shape, size, x, y) on a background, after a click on `opener`."""
        self.page.click(opener)
        self._choose("background", on)
        canvas = self.page.locator("#drawing-canvas")
        for color, shape, size, x, y in stamps:
            for group, value in (("color", color), ("tool", shape), ("size", size)):
                self._choose(group, value)
            box = canvas.bounding_box()
            canvas.click(position={"x": x * box["width"], "y": y * box["height"]})
        self.page.click("#drawing-use")

    def _choose(self, group: str, value: str) -> None:
        self.page.click(f".{group}-group .swatch:has([value={value}])")

    def teach(self, said: str, *stamps: tuple[str, str, str, float, float], on: str) -> None:
        """Adds a card; its text has the focus once the drawing is used."""
        self.draw("#add-drawing", *stamps, on=on)
        self.page.keyboard.type(said)

    def ask(self) -> str:
        """Asks, and waits for the whole answer."""
        self.page.click("#ask-button")
        self.page.wait_for_selector("#answer[data-state=answered]:not(.is-stale)")
        return str(self.page.inner_text("#answer-text")).strip()

    def problems(self) -> list[str]:
        """What the page says is wrong."""
        found = self.page.locator(".problem:visible").all_inner_texts()
        return [str(text).strip() for text in found]
