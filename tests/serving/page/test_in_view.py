"""What matters is seen: pictures are whole, and the page scrolls to what someone waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.serving.page.watched import PHONE, WIDE, Watched

pytestmark = pytest.mark.slow

SCREENS = pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])


def _box(page: Watched, selector: str, number: int = 0) -> Any:
    """In pixels of what is in view."""
    return page.page.locator(selector).nth(number).bounding_box()


def _is_in_view(page: Watched, box: Any) -> bool:
    height = page.page.evaluate("innerHeight")
    return bool(box["y"] >= 0 and box["y"] + box["height"] <= height)


@SCREENS
def test_nothing_lies_on_the_picture_of_a_card(
    visit: Callable[..., Watched], viewport: dict[str, int]
) -> None:
    page = visit(viewport=viewport)
    page.page.click("text=Two made-up words")
    for number in range(4):
        picture = _box(page, ".card-picture", number)
        for part in (".grip", ".card-remove", ".card-said"):
            box = _box(page, part, number)
            is_above = box["y"] + box["height"] <= picture["y"]
            is_below = box["y"] >= picture["y"] + picture["height"]
            assert is_above or is_below, part


@pytest.mark.parametrize("explains", [True, False], ids=["explained", "plain"])
def test_a_phone_scrolls_to_the_answer(visit: Callable[..., Watched], explains: bool) -> None:
    page = visit(viewport=PHONE, has_touch=True)
    page.page.click("text=Two made-up words")
    page.page.set_checked("#explains", explains)
    assert page.ask() == "wug"
    page.page.wait_for_selector("#cancel-button", state="hidden")
    assert _is_in_view(page, _box(page, "#answer-text"))
    panel = _box(page, "#answer")
    assert panel["y"] < PHONE["height"] / 4 or _is_in_view(page, panel)


def test_who_looks_elsewhere_meanwhile_is_left_there(visit: Callable[..., Watched]) -> None:
    page = visit(viewport=PHONE)
    page.page.click("text=Two made-up words")
    held: list[Any] = []
    page.page.route("**/v1/few_shot", lambda route: held.append(route))
    page.page.click("#ask-button")
    page.page.wait_for_selector("#answer[data-state=waiting]")
    page.page.mouse.wheel(0, -5000)
    for _ in range(100):
        if page.page.evaluate("scrollY") == 0:
            break
        page.page.wait_for_timeout(50)
    held[0].continue_()
    page.page.wait_for_selector("#answer[data-state=answered]")
    page.page.wait_for_selector("#cancel-button", state="hidden")
    assert page.page.evaluate("scrollY") == 0


@SCREENS
def test_a_card_with_a_problem_is_shown_as_a_whole(
    visit: Callable[..., Watched], viewport: dict[str, int]
) -> None:
    page = visit(viewport=viewport)
    page.page.click("text=Two made-up words")
    page.page.locator(".card-said").nth(1).fill("")
    page.page.locator("#ask-button").scroll_into_view_if_needed()
    page.page.click("#ask-button")
    page.page.wait_for_selector(".card.has-problem")
    assert _is_in_view(page, _box(page, ".card.has-problem"))
