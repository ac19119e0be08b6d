"""Decisions reach the things they are about, with their reasons, and travel between processes."""

from __future__ import annotations

import pickle

from flamingo.data.collection.deduplication import DeduplicationSettings
from flamingo.data.collection.pages import Removal
from tests.data.collection.deduplication.pages_for_tests import (
    decided,
    image,
    look,
    page,
    text,
)

PIECES = [
    [
        page("https://a.org/1", "Menu", image("1", look(1)), text(20, 1), image("2", look(2))),
        page("https://a.org/2", text(20, 2), image("3", look(3))),
    ],
    [
        page("https://a.org/3", text(20, 3), "Menu", image("2", look(2)), image("2", look(2))),
        page("https://b.org/4", "Menu", text(20, 1), image("1", look(1)), image("4", look(4))),
        page("https://c.org/5", text(20, 5)),
    ],
]
SETTINGS = DeduplicationSettings(max_pages_of_paragraph=1, image_bits=0)


def test_each_thing_that_is_out_is_told_with_its_reason() -> None:
    decisions = decided(PIECES, SETTINGS)
    outcomes = [
        decisions.of(piece).page(number).apply(one)
        for piece, pages in enumerate(PIECES)
        for number, one in enumerate(pages)
    ]
    kept = [outcome.page for outcome in outcomes]
    first, second, third, fourth, fifth = (one for pages in PIECES for one in pages)
    assert kept[0] == first.with_nodes(first.nodes[1:])
    assert kept[1] == second
    assert kept[2] == third.with_nodes((third.nodes[0], third.nodes[2]))
    assert kept[3] is None
    assert kept[4] == fifth
    menu = "repeated-paragraph: it is on 2 pages of its domain, at most 1"
    assert [outcome.removals for outcome in outcomes] == [
        (Removal("text", menu, "Menu"),),
        (),
        (
            Removal("text", menu, "Menu"),
            Removal(
                "image",
                "same-in-page: the same as image 0 of its page",
                "https://images.org/2",
            ),
        ),
        (Removal("page", "same-text: the same text as https://a.org/1", fourth.address),),
        (),
    ]


def test_a_piece_has_only_what_is_out_and_can_be_sent() -> None:
    decision = decided(PIECES, SETTINGS).of(1)
    assert sorted(decision.pages) == [0, 1]
    content = pickle.dumps(decision)
    assert pickle.loads(content) == decision
    assert len(content) < 1500


def test_what_is_only_told_is_not_out() -> None:
    settings = DeduplicationSettings(
        same_in_page=False, same_text=False, near_text=None, max_pages_of_paragraph=None
    )
    decisions = decided(PIECES, settings)
    assert len(decisions.found["near-in-page"]) == 1
    assert len(decisions.found["near-in-corpus"]) == 3
    assert not decisions.of(0).pages
    assert not decisions.of(1).pages
