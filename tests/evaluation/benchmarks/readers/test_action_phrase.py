from __future__ import annotations

import pytest

from flamingo.evaluation.benchmarks.readers.action_phrase import (
    action_phrase,
    third_person,
    with_article,
)


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        ("blend", "blends"),
        ("wash", "washes"),
        ("fry", "fries"),
        ("spray", "sprays"),
        ("weigh", "weighs"),
        ("close", "closes"),
        ("microwave", "microwaves"),
        ("deseed", "deseeds"),
        ("mix", "mixes"),
        ("reach", "reaches"),
        ("go", "goes"),
    ],
)
def test_verbs(verb: str, expected: str) -> None:
    assert third_person(verb) == expected


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("phone", "a phone"),
        ("egg", "an egg"),
        ("eggs", "eggs"),
        ("orange", "an orange"),
        ("shoes", "shoes"),
        ("glass", "a glass"),
        ("hair", "hair"),
        ("corn", "corn"),
    ],
)
def test_nouns(noun: str, expected: str) -> None:
    assert with_article(noun) == expected


def test_actions() -> None:
    assert action_phrase("blend", "phone") == "blends a phone"
    assert action_phrase("shake", "clothe") == "shakes clothes"
