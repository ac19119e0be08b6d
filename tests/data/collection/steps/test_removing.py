"""What is taken out is told, in a form that is safe to print."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.steps.removing import (
    EXAMPLE_LENGTH,
    page_out,
    percent,
    shortened,
    without_images,
    without_texts,
)
from tests.data.collection.steps.pages_for_steps import image, page, text


def test_images_go_with_their_reasons() -> None:
    before = page(text("a"), image("bad.png"), image("good.png"))
    outcome = without_images(before, lambda node: "bad" if "bad" in node.address else None)
    assert outcome.page is not None
    assert outcome.page.nodes == (before.nodes[0], before.nodes[2])
    assert [(one.what, one.reason, one.example) for one in outcome.removals] == [
        ("image", "bad", "bad.png")
    ]


def test_texts_go_but_for_those_that_are_exempt() -> None:
    before = page(text("a"), image(), text("b", kind="heading"))
    outcome = without_texts(before, lambda node: "bad", exempt=("heading",))
    assert outcome.page is not None
    assert outcome.page.nodes == before.nodes[1:]
    assert [(one.what, one.example) for one in outcome.removals] == [("text", "a")]


def test_a_page_that_loses_nothing_is_the_same_one() -> None:
    before = page(text("a"), image())
    assert without_images(before, lambda node: None).page is before
    assert without_texts(before, lambda node: None).page is before


def test_a_page_that_is_out_is_one_removal() -> None:
    outcome = page_out(page(text("a"), address="https://x.org/\x1b[31m"), "bad")
    assert outcome.page is None
    assert [(one.what, one.example) for one in outcome.removals] == [
        ("page", "https://x.org/�[31m")
    ]


@given(st.text(max_size=600))
def test_an_example_is_short_and_can_be_printed(example: str) -> None:
    cut = shortened(example)
    assert len(cut) <= EXAMPLE_LENGTH + 1
    assert cut.isprintable()
    cut.encode()
    assert shortened(cut[:EXAMPLE_LENGTH]) == cut[:EXAMPLE_LENGTH].strip()


def test_what_is_cut_says_so() -> None:
    assert shortened("a " * 80) == ("a " * 80).strip()
    assert shortened("ab" * 101) == "ab" * 100 + "…"
    assert shortened("a" + " " * 900 + "b") == "a…"


def test_percent() -> None:
    assert percent(0.1234) == "12.3%"
