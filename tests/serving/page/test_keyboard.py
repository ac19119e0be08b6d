"""Everything can be done by keyboard, and is said to those who listen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.serving.page.watched import Watched

pytestmark = pytest.mark.slow


def _focused(page: Watched) -> str:
    return str(page.page.evaluate("document.activeElement.id"))


def test_a_lesson_is_given_without_a_mouse(visit: Callable[..., Watched]) -> None:
    page = visit()
    keys = page.page.keyboard
    page.page.keyboard.press("Tab")
    assert page.page.evaluate("document.activeElement.className") == "skip-link"
    keys.press("Enter")
    assert _focused(page) == "teach"

    def draw(opener: str, color: str, shape: str, steps: list[str]) -> None:
        page.page.focus(opener)
        keys.press("Enter")
        assert _focused(page) == "drawing-canvas"
        page.page.focus(f"[name=draw-color][value={color}]")
        keys.press("Space")
        page.page.focus(f"[name=draw-tool][value={shape}]")
        keys.press("Space")
        page.page.focus("#drawing-canvas")
        for step in steps:
            keys.press(step)
        keys.press("Space")
        assert f"{color} {shape} put" in page.page.inner_text("#drawing-said")
        page.page.focus("#drawing-use")
        keys.press("Enter")

    for said, color, shape in (("dax", "red", "circle"), ("wug", "blue", "star")):
        for steps in (["ArrowLeft"] * 5, ["ArrowRight"] * 4 + ["ArrowDown"] * 3):
            draw("#add-drawing", color, shape, steps)
            keys.type(said)
    draw("#query-draw", "blue", "star", ["ArrowUp"] * 4)
    assert _focused(page) == "query-redraw"
    keys.press("Control+Enter")
    page.page.wait_for_selector("#answer[data-state=answered]")
    assert page.page.inner_text("#answer-text").strip() == "wug"
    assert page.page.inner_text("#announcer") == "The answer is: wug"


def test_cards_change_places_by_keyboard_and_keep_the_focus(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.click("text=Two made-up words")
    first = page.page.locator(".card-said").first
    first.fill("blick")
    first.focus()
    page.page.keyboard.press("Alt+ArrowRight")
    said = page.page.locator(".card-said").evaluate_all("all => all.map(one => one.value)")
    assert said == ["wug", "blick", "dax", "wug"]
    assert page.page.evaluate("document.activeElement.value") == "blick"
    assert page.page.inner_text("#announcer") == "Now card 2."


def test_cards_are_dragged_by_their_grip(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.click("text=Two made-up words")
    page.page.locator(".card-said").first.fill("blick")
    grip = page.page.locator(".grip").first.bounding_box()
    third = page.page.locator(".card").nth(2).bounding_box()
    page.page.mouse.move(grip["x"] + 8, grip["y"] + 8)
    page.page.mouse.down()
    page.page.mouse.move(third["x"] + 60, third["y"] + 60, steps=4)
    page.page.mouse.up()
    said = page.page.locator(".card-said").evaluate_all("all => all.map(one => one.value)")
    assert said.index("blick") == 2


def test_a_dialog_keeps_the_focus_and_gives_it_back(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.focus("#add-drawing")
    page.page.keyboard.press("Enter")
    for _ in range(30):
        page.page.keyboard.press("Tab")
        inside = page.page.evaluate(
            "document.activeElement === document.body"
            "|| document.activeElement.closest('dialog') !== null"
        )
        assert inside
    page.page.keyboard.press("Escape")
    assert _focused(page) == "add-drawing"


def test_the_pen_draws_undoes_and_redoes_by_keyboard(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.click("#add-drawing")
    page.page.click(".tool-group .swatch:has([value=pen])")
    page.page.focus("#drawing-canvas")
    shown = "document.querySelector('#drawing-canvas').toDataURL()"
    for key in ("Space", *["ArrowRight"] * 6, "Space"):
        page.page.keyboard.press(key)
    drawn = page.page.evaluate(shown)
    page.page.keyboard.press("Control+z")
    assert page.page.is_disabled("#drawing-use")
    assert page.page.evaluate(shown) != drawn
    page.page.keyboard.press("Control+Shift+z")
    assert page.page.evaluate(shown) == drawn


def test_every_control_has_a_name(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.click("text=Two made-up words")
    nameless = page.page.evaluate(
        """() => [...document.querySelectorAll('button, input:not([type=file]), select, a')]
        .filter((one) => !(one.textContent.trim() || one.getAttribute('aria-label')
          || [...(one.labels ?? [])].some((label) => label.textContent.trim())))
        .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_dark_and_light_are_chosen_and_kept(visit: Callable[..., Watched]) -> None:
    page = visit(color_scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.page.evaluate(ground)
    page.page.click("#theme-toggle")
    dark = page.page.evaluate(ground)
    assert dark != light
    page.page.reload()
    assert page.page.evaluate(ground) == dark
    assert page.page.get_attribute("#theme-toggle", "aria-pressed") == "true"
