"""No step fails on any page, and none adds anything to it."""

from __future__ import annotations

import time
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.data.collection.pages import ImageNode, Node, Page, Step, TextKind, TextNode
from flamingo.data.collection.steps.profiles import PROFILES, STEPS, step_named
from flamingo.data.collection.steps.report import StepReport
from tests.data.collection.steps import classifiers_for_tests
from tests.data.collection.steps.pages_for_steps import image

MODULE = classifiers_for_tests.__name__
ALL = [
    *map(step_named, STEPS),
    step_named("explicit-images", classifier=f"{MODULE}:red", takes_out="image"),
    step_named("explicit-text", classifier=f"{MODULE}:of_letters"),
]
ANY_TEXT = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(codec=None), max_size=20),
    st.sampled_from(["the end of that\n" * 60, "…" * 60, "# " * 60, "• a" * 60, "\ud800"]),
)
ADDRESSES = st.one_of(ANY_TEXT, st.sampled_from(["a.gif", "data:image/png;base64,x"]))
SIDES = st.one_of(st.none(), st.integers(-5, 10**9))
ORIGINALS = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6))
LOADED = st.one_of(st.none(), st.tuples(ORIGINALS, st.integers(0, 3), st.integers(0, 255)))
TEXTS = st.tuples(ANY_TEXT, st.sampled_from(get_args(TextKind)))
IMAGES = st.tuples(ADDRESSES, SIDES, SIDES, LOADED)
NODES = st.lists(st.one_of(TEXTS, IMAGES), max_size=6)
LANGUAGES = st.sampled_from([None, "en", "de-AT", "x", "", "-"])


def page_of(nodes: list[tuple[Any, ...]], language: str | None) -> Page:
    """A page of what was drawn; what makes it checks types at random, and may not be drawn from."""
    made = (text_of(*node) if len(node) == 2 else image_of(*node) for node in nodes)
    return Page("x", "title", tuple(made), language=language)


def text_of(text: str, kind: TextKind) -> TextNode:
    return TextNode(text, kind)


def image_of(address: str, width: int | None, height: int | None, loaded: Any) -> ImageNode:
    if loaded is None:
        return image(address, width, height)
    original, thumbnail_height, shade = loaded
    thumbnail = np.full((thumbnail_height, 2, 3), shade, np.uint8)
    return image(address, width, height, original=original, thumbnail=thumbnail)


def is_part_of(part: tuple[Node, ...], whole: tuple[Node, ...]) -> bool:
    """Whether the nodes are some of the others, the very same ones, in their order."""
    left = iter(whole)
    return all(any(node is other for other in left) for node in part)


@pytest.mark.parametrize("step", ALL, ids=lambda step: step.name)
@settings(max_examples=40)
@given(nodes=NODES, language=LANGUAGES)
def test_a_step_only_takes_out_and_tells_all_of_it(
    step: Step, nodes: list[tuple[Any, ...]], language: str | None
) -> None:
    page = page_of(nodes, language)
    outcome = step(page)
    if outcome.page is None:
        assert [removal.what for removal in outcome.removals] == ["page"]
    else:
        assert is_part_of(outcome.page.nodes, page.nodes)
        assert len(outcome.removals) == len(page.nodes) - len(outcome.page.nodes)
        assert outcome.page == page.with_nodes(outcome.page.nodes)
    report = StepReport(step.name)
    report.add(page, outcome)
    assert sum(removed.num for removed in report.removed.values()) == len(outcome.removals)


@pytest.mark.parametrize("profile", PROFILES)
@settings(max_examples=40)
@given(nodes=NODES, language=LANGUAGES)
def test_a_second_time_nothing_more_is_taken_out(
    profile: str, nodes: list[tuple[Any, ...]], language: str | None
) -> None:
    page = page_of(nodes, language)
    for step in PROFILES[profile]:
        outcome = step(page)
        if outcome.page is None:
            return
        page = outcome.page
        assert step(page).page is page


@pytest.mark.parametrize("step", ALL, ids=lambda step: step.name)
def test_a_hostile_page_takes_no_more_than_seconds(step: Step) -> None:
    num = 500_000
    hostile = ["a" * num, "1" * num, "a b " * (num // 4), "# ..." * (num // 5), "a\n" * (num // 2)]
    started = time.perf_counter()
    for words in hostile:
        step(Page("x", "", (TextNode(words), image(words))))
    assert time.perf_counter() - started < 5 * len(hostile)
