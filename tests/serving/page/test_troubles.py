"""What is wrong is said beside what caused it; a key is asked for; a busy server is waited for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from flamingo.serving.api.service import Service
from flamingo.serving.engine import Engine
from flamingo.serving.keys import Keys
from flamingo.serving.limits import Limits
from tests.serving.api.running import serving
from tests.serving.page.watched import Watched

pytestmark = pytest.mark.slow

KEY = "a-key-of-this-test"


def test_what_is_missing_is_said_where_it_is_missing(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.click("#ask-button")
    assert page.problems() == ["Give a picture to ask about."]
    page.page.click("text=Two made-up words")
    assert page.problems() == []
    page.page.locator(".card-said").nth(1).fill("")
    page.page.click("#ask-button")
    assert page.page.inner_text(".card:nth-child(2) .problem").startswith("Say what this is")
    page.page.click("text=How many?")
    page.page.fill("#shared-question", "")
    page.page.click("#ask-button")
    assert page.page.inner_text("#question-problem") == "Write the question first."


def test_what_the_server_refuses_is_said_where_it_comes_from(
    visit: Callable[..., Watched],
) -> None:
    page = visit()
    page.page.click("text=Two made-up words")
    page.page.click("#settings summary")
    page.page.fill("#pattern", "no field in it")
    page.page.click("#ask-button")
    page.page.wait_for_selector("#question-problem:not([hidden])")
    assert "no field in it" in page.problems()[0]
    assert page.page.get_attribute("#answer", "data-state") == "stopped"
    page.page.fill("#pattern", "")
    assert page.ask() == "wug"


def test_a_busy_server_is_waited_for_and_asked_once_more(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.click("text=Two made-up words")
    seen: list[float] = []

    def busy_once(route: Any) -> None:
        seen.append(1)
        if len(seen) > 1:
            route.continue_()
            return
        error = {"message": "Busy.", "type": "rate_limit_error", "param": None, "code": None}
        headers = {"retry-after": "2", "content-type": "application/json"}
        route.fulfill(status=429, headers=headers, body=json.dumps({"error": error}))

    page.page.route("**/v1/few_shot", busy_once)
    page.page.click("#ask-button")
    page.page.wait_for_selector("#waiting-text:has-text('Trying again in 2 s')")
    page.page.wait_for_selector("#answer[data-state=answered]")
    assert page.page.inner_text("#answer-text").strip() == "wug"
    assert len(seen) == 2


def test_an_explanation_that_was_left_out_is_said_to_be(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.click("text=Two made-up words")
    page.page.click("label:has([name=ending][value=closed])")

    def without(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "explanation": None})

    page.page.route("**/v1/few_shot", without)
    assert page.ask() == "wug"
    assert page.page.inner_text("#mattered") == "The server had no time or room to say why."
    assert page.page.locator(".effect:visible").count() == 0


def test_asking_can_be_cancelled(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.click("text=Two made-up words")
    page.page.route("**/v1/few_shot", lambda route: None)  # an answer that never comes
    page.page.click("#ask-button")
    page.page.click("#cancel-button")
    page.page.wait_for_selector("#answer[data-state=stopped]")
    page.page.unroute("**/v1/few_shot")
    assert page.ask() == "wug"


def test_a_server_that_is_gone_is_said(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.click("text=Two made-up words")
    page.page.route("**/v1/few_shot", lambda route: route.abort())
    page.page.click("#ask-button")
    page.page.wait_for_selector("#ask-problem:not([hidden])")
    assert "cannot be reached" in page.problems()[0]


def test_a_key_is_asked_for_and_kept_in_the_tab(
    visit: Callable[..., Watched], engine: Engine
) -> None:
    with serving(Service.of(engine, Limits(), keys=Keys([KEY]))) as running:
        page = visit(running.url)
        page.page.wait_for_selector("#key-dialog[open]")
        page.page.fill("#key-input", "another")
        page.page.keyboard.press("Enter")
        page.page.wait_for_selector("#key-refused:not([hidden])")
        page.page.fill("#key-input", KEY)
        page.page.keyboard.press("Enter")
        page.page.wait_for_selector("#model:not([hidden])")
        page.page.click("text=Two made-up words")
        assert page.ask() == "wug"
        assert page.page.evaluate("sessionStorage.getItem('flamingo-key')") == KEY
        assert page.page.evaluate("JSON.stringify(localStorage)").find(KEY) == -1
        page.page.wait_for_timeout(600)
