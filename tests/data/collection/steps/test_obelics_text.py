"""Each rule of OBELICS for paragraphs and documents, at its threshold from both sides."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from flamingo.data.collection.steps.obelics_text import DocumentRules, ParagraphRules, TextRules
from flamingo.data.collection.steps.word_lists import flagged_words
from flamingo.foundation.errors import ConfigError
from tests.data.collection.steps.pages_for_steps import (
    WORDS,
    image,
    is_kept,
    kept_of,
    page,
    reason_of,
    text,
)

FLAGGED = min(flagged_words())
SENTENCE = f"{' '.join(WORDS)}."


def alone(kind: type[TextRules], *names: str) -> TextRules:
    """The rules of that kind, all of them off but the named ones."""
    values = {name: getattr(kind(), name) for name in (*names, "punctuation_from")}
    return TextRules(**values)


def reason(kind: type[TextRules], names: str, against: str) -> str | None:
    return alone(kind, *names.split()).reason_against(against)


def test_plain_english_passes() -> None:
    assert kept_of(ParagraphRules(), text(SENTENCE)) == [text(SENTENCE)]
    assert is_kept(DocumentRules(), text(SENTENCE, "Here, it is so; there, it is not."))
    assert TextRules().reason_against("") is None


@pytest.mark.parametrize(
    ("kind", "least", "most"), [(ParagraphRules, 4, 1000), (DocumentRules, 10, 2000)]
)
def test_number_of_words(kind: type[TextRules], least: int, most: int) -> None:
    names = "min_words max_words"
    assert reason(kind, names, "word 1 " * least) is None
    assert reason(kind, names, "word 1 " * (least - 1)) == f"{least - 1} words, at least {least}"
    assert reason(kind, names, "word 1 " * most) is None
    assert reason(kind, names, "word 1 " * (most + 1)) == f"{most + 1} words, at most {most}"


@pytest.mark.parametrize(("kind", "num_letters"), [(ParagraphRules, 700), (DocumentRules, 725)])
def test_special_characters(kind: type[TextRules], num_letters: int) -> None:
    name = "max_special_characters"
    assert reason(kind, name, "a" * num_letters + "1" * (1000 - num_letters)) is None
    against = reason(kind, name, "a" * (num_letters - 1) + "-" * (1001 - num_letters))
    assert against is not None
    assert "special characters" in against


@pytest.mark.parametrize(("kind", "num"), [(ParagraphRules, 30), (DocumentRules, 35)])
def test_stop_words(kind: type[TextRules], num: int) -> None:
    name = "min_stop_words"
    assert reason(kind, name, "The, " * num + "rose " * (100 - num)) is None
    assert reason(kind, name, "the " * (num - 1) + "rose " * (101 - num)) is not None


@pytest.mark.parametrize("kind", [ParagraphRules, DocumentRules])
def test_flagged_words(kind: type[TextRules]) -> None:
    name = "max_flagged_words"
    assert reason(kind, name, "rose " * 99 + FLAGGED) is None
    assert reason(kind, name, "rose " * 98 + FLAGGED) is not None


def test_punctuation_of_paragraphs() -> None:
    name = "min_punctuation"
    assert reason(ParagraphRules, name, "rose " * 999 + ".") is None
    assert reason(ParagraphRules, name, "rose " * 1000 + ".") is not None
    assert reason(ParagraphRules, name, "rose " * 11) is None
    assert reason(ParagraphRules, name, "rose " * 12) == "0.0% punctuation, at least 0.1%"


def test_punctuation_of_documents() -> None:
    assert reason(DocumentRules, "min_punctuation", "rose " * 97 + ", . !") is None
    assert reason(DocumentRules, "min_punctuation", "rose " * 98 + ", . !") is not None
    assert reason(DocumentRules, "min_punctuation", "rose " * 3) is not None


@pytest.mark.parametrize("kind", [ParagraphRules, DocumentRules])
def test_repetition_of_words(kind: type[TextRules]) -> None:
    """5 words twice are 2 of the places where 5 words begin."""
    name = "max_word_repetition"
    five = ["one", "two", "three", "four", "five"]
    num_places = round(2 / getattr(kind(), name))
    others = [chr(97 + number) * 3 for number in range(num_places + 4 - 10)]
    assert reason(kind, name, " ".join([*five, *others, *five])) is None
    against = reason(kind, name, " ".join([*five, *others[:-1], *five]))
    assert against is not None
    assert "repetition of words" in against


@pytest.mark.parametrize("kind", [ParagraphRules, DocumentRules])
def test_repetition_of_characters(kind: type[TextRules]) -> None:
    """10 characters twice are 2 of the places where 10 characters begin."""
    signs = [chr(0x4E00 + number) for number in range(60)]
    ten, others = signs[:10], signs[10:]
    name = "max_character_repetition"
    assert reason(kind, name, "".join([*ten, *others[:9], *ten])) is None
    against = reason(kind, name, "".join([*ten, *others[:8], *ten]))
    assert against == "10.5% repetition of characters, at most 10.0%"


def test_common_words_need_a_file(tmp_path: Path) -> None:
    path = tmp_path / "common.txt"
    path.write_text("rose\n")
    for kind, num in ((ParagraphRules, 80), (DocumentRules, 90)):
        rules = dataclasses.replace(alone(kind, "min_common_words"), common_words=path)
        assert rules.reason_against("rose " * num + "other " * (100 - num)) is None
        assert rules.reason_against("rose " * (num - 1) + "other " * (101 - num)) is not None
        assert alone(kind, "min_common_words").reason_against("other " * 100) is None


def test_lists_of_the_user(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("rose\n")
    assert TextRules(min_stop_words=1.0, stop_words=path).reason_against("rose") is None
    assert TextRules(max_flagged_words=0.5, flagged_words=path).reason_against("rose") is not None


def test_paragraphs_go_and_headings_and_images_stay() -> None:
    nodes = [text("Too short", kind="heading"), image(), text("Too short"), text(SENTENCE)]
    assert kept_of(ParagraphRules(), *nodes) == [nodes[0], nodes[1], nodes[3]]
    assert kept_of(ParagraphRules(exempt=()), *nodes) == [nodes[1], nodes[3]]


def test_documents_are_judged_as_a_whole() -> None:
    assert not is_kept(DocumentRules(), text("Too short."), image())
    assert reason_of(DocumentRules()(page())) == "0 words, at least 10"


@pytest.mark.parametrize("kind", [ParagraphRules, DocumentRules])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_words": -1}, "min_words=-1"),
        ({"min_words": 20, "max_words": 19}, "at least 20 and at most 19 words"),
        ({"max_special_characters": 2.0}, "max_special_characters=2"),
        ({"stop_words": Path("/none/such.txt")}, "cannot be read"),
    ],
)
def test_impossible_settings(kind: type[TextRules], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        kind(**settings)
