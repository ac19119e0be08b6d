"""Pages with flagged words are out from a share on."""

from __future__ import annotations

from pathlib import Path

import pytest

from flamingo.data.collection.steps.explicit_words import ExplicitWords
from flamingo.data.collection.steps.word_lists import flagged_words
from flamingo.foundation.errors import ConfigError
from tests.data.collection.steps.pages_for_steps import WORDS, is_kept, page, reason_of, text

FLAGGED = min(flagged_words())


def test_a_share_of_flagged_words() -> None:
    words = (WORDS * 4)[:198]
    assert is_kept(ExplicitWords(), text(*words, f"“{FLAGGED.title()}!”", "end"), text("1 2"))
    assert is_kept(ExplicitWords(), text(*words, FLAGGED, FLAGGED))
    outcome = ExplicitWords()(page(text(*words[:197], FLAGGED, FLAGGED)))
    assert reason_of(outcome) == "1.0% flagged words, at most 1.0%"


def test_a_page_without_words_passes() -> None:
    assert is_kept(ExplicitWords())


def test_a_list_of_the_user(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("garden\n")
    assert not is_kept(ExplicitWords(words=path), text(*WORDS))
    assert is_kept(ExplicitWords(words=path), text(FLAGGED))


def test_impossible_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="max_share=-1"):
        ExplicitWords(max_share=-1.0)
    with pytest.raises(ConfigError, match="cannot be read"):
        ExplicitWords(words=tmp_path / "none.txt")
