"""Texts that a domain repeats go; what other domains say too, stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flamingo.data.collection.deduplication import NO_DEDUPLICATION
from flamingo.data.collection.deduplication import repeated_paragraphs as module
from tests.data.collection.deduplication.pages_for_tests import decided, left, page

SETTINGS = replace(NO_DEDUPLICATION, max_pages_of_paragraph=2)


@pytest.mark.parametrize("at_once", [1, 4, 1 << 24])
def test_texts_are_counted_by_page_and_by_domain(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    pieces = [
        [page("https://www.a.org/1", "Menu", "One"), page("https://b.org/1", "Menu", "Menu")],
        [page("https://a.org/2", "Two", "Menu"), page("http://a.org/3", "Menu", "Two")],
        [page("https://b.org/2", "Menu"), page("local", "Menu")],
    ]
    pages = left(decided(pieces, SETTINGS), pieces)
    assert [[node.text for node in one.texts] for one in pages] == [
        ["One"],
        ["Menu", "Menu"],
        ["Two"],
        ["Two"],
        ["Menu"],
        ["Menu"],
    ]


def test_pages_that_are_out_do_not_count() -> None:
    pages = [page("https://a.org/1", f"Text {number}", "Menu") for number in range(3)]
    settings = replace(SETTINGS, same_address=True, max_pages_of_paragraph=1)
    assert left(decided([pages], settings), [pages]) == pages[:1]


def test_the_reason_has_the_numbers() -> None:
    pages = [page(f"https://a.org/{number}", "Menu") for number in range(3)]
    reason = decided([pages], SETTINGS).of(0).page(1).texts[0]
    assert reason.text == "it is on 3 pages of its domain, at most 2"
