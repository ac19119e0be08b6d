"""Paragraphs of buttons and banners go."""

from __future__ import annotations

import pytest

from flamingo.data.collection.steps.spam_paragraphs import SpamParagraphs
from flamingo.foundation.errors import ConfigError
from tests.data.collection.steps.pages_for_steps import WORDS, kept_of, page, reason_of, text


def test_a_share_that_is_reached_is_too_much() -> None:
    below, reached = text(*WORDS[:47], *["Facebook,"] * 6), text(*WORDS[:44], *["Share!"] * 6)
    assert kept_of(SpamParagraphs(), below, reached) == [below]
    assert reason_of(SpamParagraphs()(page(reached))) == "12.0% words of spam, less than 12.0%"


def test_headings_and_texts_without_words_stay() -> None:
    nodes = [text("Privacy", "policy", kind="heading"), text("1", "2")]
    assert kept_of(SpamParagraphs(), *nodes) == nodes
    assert kept_of(SpamParagraphs(exempt=()), *nodes) == nodes[1:]


def test_impossible_settings() -> None:
    with pytest.raises(ConfigError, match="max_share=2"):
        SpamParagraphs(max_share=2.0)
    with pytest.raises(ConfigError, match="words"):
        SpamParagraphs(words=())
