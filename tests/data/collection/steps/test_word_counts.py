"""Numbers of words, at their thresholds from both sides."""

from __future__ import annotations

import pytest

from flamingo.data.collection.steps.word_counts import NumberOfWords
from flamingo.foundation.errors import ConfigError
from tests.data.collection.steps.pages_for_steps import image, is_kept, page, reason_of, text


def test_a_page_without_text_is_out() -> None:
    assert is_kept(NumberOfWords(), text("a"))
    assert not is_kept(NumberOfWords(), image())
    assert reason_of(NumberOfWords()(page())) == "0 words, at least 1"


def test_limits() -> None:
    step = NumberOfWords(2, 3)
    kept = [num for num in range(6) if is_kept(step, text(*["word"] * num))]
    assert kept == [2, 3]


def test_impossible_settings() -> None:
    with pytest.raises(ConfigError, match="min_words=-1"):
        NumberOfWords(-1)
    with pytest.raises(ConfigError, match="words leaves nothing"):
        NumberOfWords(3, 2)
