"""Someone draws four pictures, says a made-up word of each, and asks about a fifth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving.page.watched import PHONE, WIDE, Watched

pytestmark = pytest.mark.slow


def _teach_two_words(page: Watched) -> None:
    page.teach("dax", ("red", "circle", "large", 0.4, 0.42), on="white")
    page.teach("wug", ("blue", "star", "medium", 0.62, 0.4), on="gray")
    page.teach("dax", ("red", "circle", "small", 0.7, 0.66), on="black")
    page.teach("wug", ("blue", "star", "large", 0.36, 0.6), on="brown")


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("wide", {"viewport": WIDE, "color_scheme": "light"}),
        ("phone", {"viewport": PHONE, "color_scheme": "dark", "has_touch": True}),
    ],
)
def test_two_made_up_words(
    visit: Callable[..., Watched], tmp_path: Path, name: str, settings: dict[str, object]
) -> None:
    page = visit(**settings)
    page.page.screenshot(path=tmp_path / f"{name}-1-empty.png", full_page=True)
    _teach_two_words(page)
    page.draw("#query-draw", ("blue", "star", "medium", 0.3, 0.35), on="white")
    page.page.screenshot(path=tmp_path / f"{name}-2-taught.png", full_page=True)
    assert page.ask() == "wug"
    page.page.screenshot(path=tmp_path / f"{name}-3-answered.png", full_page=True)
    page.draw("#query-redraw", ("red", "circle", "large", 0.62, 0.6), on="gray")
    assert page.page.locator("#answer.is-stale").count() == 1
    page.page.click("#query-remove")
    page.draw("#query-draw", ("red", "circle", "medium", 0.6, 0.6), on="gray")
    assert page.ask() == "dax"


def test_the_answer_says_how_sure_it_is_and_why(visit: Callable[..., Watched]) -> None:
    page = visit()
    _teach_two_words(page)
    page.draw("#query-draw", ("blue", "star", "medium", 0.3, 0.35), on="white")
    assert page.ask() == "wug"
    tokens = page.page.locator(".token:not(.is-end) .token-text").all_inner_texts()
    assert "".join(tokens).strip() == "wug"
    page.page.locator(".token").first.focus()
    assert page.page.locator(".alternative:visible").count() >= 2
    assert page.page.locator(".effect:visible").count() == 4
    rows = page.page.evaluate("document.querySelector('.heat').height")
    assert rows > 1
    assert "wug" in page.page.inner_text("#announcer")


def test_choices_are_what_the_cards_say_and_come_with_probabilities(
    visit: Callable[..., Watched],
) -> None:
    page = visit()
    _teach_two_words(page)
    page.draw("#query-draw", ("red", "circle", "medium", 0.5, 0.5), on="brown")
    page.page.click("label:has([name=ending][value=closed])")
    assert page.page.locator("#choices .chip").all_inner_texts() == ["dax", "wug"]
    assert page.ask() == "dax"
    assert page.page.locator(".candidate-text").all_inner_texts() == ["dax", "wug"]


@pytest.mark.parametrize(
    ("example", "answer"),
    [
        ("Two made-up words", "wug"),
        ("Only the color", "red"),
        ("How many?", "three"),
        ("Invented letters", "moze"),
    ],
)
def test_an_example_is_answered_rightly(
    visit: Callable[..., Watched], example: str, answer: str
) -> None:
    page = visit()
    page.page.click(f"text={example}")
    assert page.ask() == answer


def test_more_of_a_drawing_shows_the_same_things_elsewhere(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.teach("dax", ("red", "circle", "large", 0.4, 0.42), on="white")
    page.page.click("[aria-label='Another like this']")
    texts = page.page.locator(".card-said").evaluate_all("all => all.map(one => one.value)")
    assert texts == ["dax", "dax"]
    pictures = page.page.locator(".card img").evaluate_all("all => all.map(one => one.src)")
    assert pictures[0] != pictures[1]
