"""Lists of words, ours and those of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from flamingo.data.collection.steps.stop_words import ENGLISH_STOP_WORDS
from flamingo.data.collection.steps.word_lists import flagged_words, words_in
from flamingo.data.collection.steps.words import bare_words
from flamingo.foundation.errors import ConfigError


def test_our_lists_are_of_words_as_texts_give_them() -> None:
    for words in (ENGLISH_STOP_WORDS, flagged_words()):
        assert words == {bare for word in words for bare in bare_words(word)}
    assert not ENGLISH_STOP_WORDS & flagged_words()


def test_a_file_has_a_word_a_line(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("One\n\n  two \n", encoding="utf-8-sig")
    assert words_in(path) == {"one", "two"}


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe"])
def test_an_unusable_file_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"words\.txt"):
        words_in(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        words_in(tmp_path / "none.txt")
