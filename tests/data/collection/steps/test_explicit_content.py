"""Classifiers that users bring along decide about pages and images."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from flamingo.data.collection.pages import ImageNode
from flamingo.data.collection.steps.explicit_content import ExplicitImages, ExplicitText
from flamingo.foundation.errors import ConfigError
from tests.data.collection.steps import classifiers_for_tests as module
from tests.data.collection.steps.pages_for_steps import (
    image,
    is_kept,
    kept_of,
    page,
    reason_of,
    text,
)

MODULE = module.__name__


def shade(red: int) -> ImageNode:
    return image(f"{red}.png", thumbnail=np.full((4, 4, 3), (red, 0, 0), np.uint8))


def test_a_page_with_an_explicit_picture_is_out() -> None:
    step = ExplicitImages(f"{MODULE}:red", max_probability=51 / 255)
    assert is_kept(step, shade(0), text("a"), shade(51))
    outcome = step(page(shade(0), shade(52)))
    assert outcome.page is None
    assert reason_of(outcome) == "probability 0.204 of explicit, at most 0.2"


def test_the_picture_alone_can_go() -> None:
    step = ExplicitImages(f"{MODULE}:red", max_probability=0.5, takes_out="image")
    nodes = [shade(0), image("unread.png"), shade(255), text("a"), shade(10)]
    assert kept_of(step, *nodes) == [nodes[0], nodes[1], nodes[3], nodes[4]]


def test_a_text_is_judged() -> None:
    step = ExplicitText(f"{MODULE}:of_letters", max_probability=0.5)
    assert is_kept(step, text("xaxa"))
    assert not is_kept(step, text("xaxx"))


def test_a_class_is_made_once() -> None:
    step = ExplicitImages(f"{MODULE}:Redness", max_probability=0.5)
    made = module.Redness.num_made
    assert not is_kept(step, shade(255))
    assert is_kept(pickle.loads(pickle.dumps(step)), shade(0))
    assert module.Redness.num_made == made + 1


@pytest.mark.parametrize("name", ["broken", "too_few", "no_numbers"])
def test_where_the_classifier_fails_the_page_is_out(name: str) -> None:
    outcome = ExplicitImages(f"{MODULE}:{name}")(page(shade(0)))
    assert outcome.page is None
    assert "the classifier failed" in reason_of(outcome)


def test_where_the_classifier_of_texts_fails_the_page_is_out() -> None:
    outcome = ExplicitText(f"{MODULE}:broken_for_text")(page(text("a")))
    assert outcome.page is None
    assert reason_of(outcome) == "the classifier failed: RuntimeError"


def test_without_a_classifier_or_a_picture_every_page_passes() -> None:
    assert is_kept(ExplicitImages(), shade(255))
    assert is_kept(ExplicitText(), text("x"))
    assert is_kept(ExplicitImages(f"{MODULE}:broken"), text("a"), image())


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_colon", "no import path"),
        (":name", "no import path"),
        ("no_such_module:name", "cannot be imported"),
        (f"{MODULE}:nothing", "cannot be imported"),
        (f"{MODULE}:NOT_CALLABLE", "is a int; it cannot be called"),
    ],
)
def test_a_wrong_path_is_said_at_once(path: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ExplicitImages(path)
    with pytest.raises(ConfigError, match=f"explicit-text: .*{message}"):
        ExplicitText(path)


def test_impossible_probabilities() -> None:
    with pytest.raises(ConfigError, match="max_probability=2"):
        ExplicitImages(max_probability=2.0)
    with pytest.raises(ConfigError, match="max_probability=-1"):
        ExplicitText(max_probability=-1.0)
