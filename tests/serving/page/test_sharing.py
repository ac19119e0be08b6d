"""Support sets: as files, on the server, and over a reload."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving.page.watched import Watched

pytestmark = pytest.mark.slow


def _said(page: Watched) -> list[str]:
    found = page.page.locator(".card-said").evaluate_all("all => all.map(one => one.value)")
    return [str(text) for text in found]


def test_a_file_that_was_saved_can_be_opened(visit: Callable[..., Watched], tmp_path: Path) -> None:
    page = visit()
    page.page.click("text=How many?")
    with page.page.expect_download() as download:
        page.page.click("#save-file")
    path = tmp_path / "set.json"
    download.value.save_as(path)
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved["format"] == "flamingo-support-set"
    assert [one["answer"] for one in saved["supports"]] == ["two", "one", "four", "three"]
    other = visit()
    other.page.set_input_files("#set-input", path)
    other.page.wait_for_selector(".card")
    assert _said(other) == ["two", "one", "four", "three"]
    assert other.page.input_value("#shared-question") == saved["question"]


def test_a_file_that_is_no_set_is_refused(visit: Callable[..., Watched], tmp_path: Path) -> None:
    page = visit()
    path = tmp_path / "other.json"
    for text, reason in (("{}", "no support set"), ("{", "no JSON file")):
        path.write_text(text, encoding="utf-8")
        page.page.set_input_files("#set-input", path)
        page.page.wait_for_selector(f"#supports-problem:has-text('{reason}')")


def test_the_server_keeps_sets_by_name(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.click("text=Two made-up words")
    page.page.click("#server-sets")
    page.page.fill("#keep-name", "two words")
    page.page.click("#keep-form button:has-text('Keep')")
    page.page.wait_for_selector("#sets-list li:has-text('two words')")
    page.page.click("#sets-close")
    page.page.locator(".card-said").first.fill("blick")
    page.page.click("#server-sets")
    page.page.fill("#keep-name", "two words")
    page.page.click("#keep-form button:has-text('Keep')")
    page.page.wait_for_selector("#keep-replace:not([hidden])")
    page.page.click("#keep-replace")
    page.page.wait_for_selector("#sets-problem.is-good")
    other = visit()
    other.page.click("#server-sets")
    other.page.click("#sets-list li:has-text('two words') >> text=Open")
    other.page.wait_for_selector(".card")
    assert _said(other) == ["blick", "wug", "dax", "wug"]
    other.page.click("#server-sets")
    other.page.click("[aria-label='Delete two words']")
    other.page.wait_for_selector("#sets-list li:has-text('two words')", state="detached")


def test_the_work_survives_a_reload(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.click("text=Two made-up words")
    page.page.locator(".card-said").first.fill("blick")
    page.page.click("label:has([name=ending][value=closed])")
    page.page.wait_for_timeout(900)  # it is written when nothing changed for a while
    page.page.reload()
    page.page.wait_for_selector(".card")
    assert _said(page) == ["blick", "wug", "dax", "wug"]
    assert page.page.is_checked("[name=ending][value=closed]")
    assert page.page.locator("#query-picture img").count() == 1


def test_what_was_replaced_can_be_brought_back(visit: Callable[..., Watched]) -> None:
    page = visit()
    page.page.click("text=Two made-up words")
    page.page.click("#clear-cards")
    assert _said(page) == []
    page.page.click(".notice-button")
    assert _said(page) == ["dax", "wug", "dax", "wug"]
    page.page.click("[aria-label=Remove] >> nth=1")
    assert _said(page) == ["dax", "dax", "wug"]
    page.page.click(".notice-button")
    assert _said(page) == ["dax", "wug", "dax", "wug"]
