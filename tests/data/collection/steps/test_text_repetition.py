"""Each rule of Gopher's for repetition, at its threshold from both sides."""

from __future__ import annotations

import dataclasses

import pytest

from flamingo.data.collection.pages import TextNode
from flamingo.data.collection.steps.text_repetition import TextRepetition
from flamingo.foundation.errors import ConfigError
from tests.data.collection.steps.pages_for_steps import WORDS, is_kept, page, reason_of, text

OFF = TextRepetition(1.0, 1.0, 1.0, 1.0, (1.0,) * 3, (1.0,) * 6)
"""Every rule turned off."""


def distinct(num: int, length: int = 4) -> list[str]:
    """Words of one length, none there twice."""
    return [f"{number:0{length}d}" for number in range(num)]


def test_plain_english_passes() -> None:
    assert is_kept(TextRepetition(), text(*WORDS))
    assert is_kept(TextRepetition())


def test_rules_that_are_off_let_all_pass() -> None:
    assert is_kept(OFF, *[text("again")] * 20)


def test_duplicate_paragraphs() -> None:
    step = dataclasses.replace(OFF, max_duplicate_paragraphs=0.3)
    others = [text(word) for word in distinct(6)]
    assert is_kept(step, *[text("again")] * 4, *others)
    assert not is_kept(step, *[text("again")] * 5, *others[:5])


def test_duplicate_lines() -> None:
    step = dataclasses.replace(OFF, max_duplicate_lines=0.3)
    assert is_kept(step, TextNode("\n".join(["again"] * 4 + distinct(6))))
    outcome = step(page(TextNode("\n".join(["again"] * 5 + distinct(5)))))
    assert reason_of(outcome) == "40.0% of lines that were there before, at most 30.0%"


def test_characters_of_duplicate_paragraphs() -> None:
    step = dataclasses.replace(OFF, max_duplicate_paragraph_characters=0.2)
    assert is_kept(step, text("a" * 20), text("a" * 20), text("b" * 60))
    assert not is_kept(step, text("a" * 21), text("a" * 21), text("b" * 58))


def test_characters_of_duplicate_lines() -> None:
    step = dataclasses.replace(OFF, max_duplicate_line_characters=0.2)
    assert is_kept(step, TextNode("\n".join(["a" * 20, "a" * 20, "b" * 60])))
    assert not is_kept(step, TextNode("\n".join(["a" * 21, "a" * 21, "b" * 58])))


@pytest.mark.parametrize("n", [2, 3, 4])
def test_top_grams(n: int) -> None:
    limit = TextRepetition().max_top_grams[n - 2]
    limits = tuple(limit if size == n else 1.0 for size in (2, 3, 4))
    step = dataclasses.replace(OFF, max_top_grams=limits)
    gram = distinct(1000)[-n:]
    least_others = next(num for num in range(1000) if 2 * n / (num + 2 * n) <= limit)
    others = distinct(900)[:least_others]
    assert is_kept(step, text(*gram, *others, *gram))
    outcome = step(page(text(*gram, *others[:-1], *gram)))
    assert f"in the top {n}-gram, at most {100 * limit:.1f}%" in reason_of(outcome)


@pytest.mark.parametrize("n", range(5, 11))
def test_duplicate_grams(n: int) -> None:
    limit = TextRepetition().max_duplicate_grams[n - 5]
    limits = tuple(limit if size == n else 1.0 for size in range(5, 11))
    step = dataclasses.replace(OFF, max_duplicate_grams=limits)
    gram = distinct(1000)[-n:]
    least_others = next(num for num in range(1000) if n / (num + 2 * n) <= limit)
    others = distinct(900)[:least_others]
    assert is_kept(step, text(*gram, *others, *gram))
    outcome = step(page(text(*gram, *others[:-1], *gram)))
    assert f"in duplicate {n}-grams, at most {100 * limit:.1f}%" in reason_of(outcome)


def test_shorter_repetitions_do_not_count_for_longer_ones() -> None:
    limits = (1.0,) * 5 + (0.0,)
    step = dataclasses.replace(OFF, max_duplicate_grams=limits)
    gram = distinct(100)[-9:]
    assert is_kept(step, text(*gram, "x", *gram))
    assert not is_kept(step, text(*gram, "x", *gram, "x"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_duplicate_lines": 1.5}, "max_duplicate_lines=1.5"),
        ({"max_top_grams": (0.2,)}, "max_top_grams needs 3 shares, not 1"),
        ({"max_duplicate_grams": (0.1,) * 7}, "needs 6 shares, not 7"),
        ({"max_top_grams": (0.2, -0.1, 0.1)}, "max_top_grams=-0.1"),
    ],
)
def test_impossible_settings(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TextRepetition(**settings)
