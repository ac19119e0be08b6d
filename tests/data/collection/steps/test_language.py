"""Pages and paragraphs in other languages are taken out."""

from __future__ import annotations

import pytest

from flamingo.data.collection.steps.language import Language, ParagraphLanguage, language_of
from flamingo.data.collection.steps.language_guess import guessed_languages, language_code
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

ENGLISH = " ".join(WORDS)
GERMAN = (
    "Der alte Garten hinter unserem Haus hat viele Arten von Rosen, die vom frühen Frühling bis in "
    "den späten Herbst blühen, weil der Boden reich ist und es in diesem Tal oft regnet. Die Leute "
    "haben gelernt, dass Pflanzen am besten wachsen, wenn man sie in Ruhe lässt."
)
CHINESE = (
    "我们家后面的老花园里有很多种玫瑰，从早春一直开到深秋，因为土壤肥沃，山谷里经常下雨。 "
    "Debian GNU Linux 人们知道植物在没有人打扰的时候长得最好。"
)


def test_english_passes_and_german_does_not() -> None:
    assert is_kept(Language(), text(ENGLISH))
    assert not is_kept(Language(), text(GERMAN))
    assert is_kept(Language(languages=("en", "de")), text(GERMAN))


def test_another_script_is_no_english_whatever_names_are_in_it() -> None:
    assert not is_kept(Language(), text(CHINESE))
    assert language_of(page(text(CHINESE))) != "en"


def test_the_reason_names_the_languages() -> None:
    assert reason_of(Language()(page(text(GERMAN)))) == "language de, wanted en"
    assert reason_of(Language()(page())) == "language unknown, wanted en"


def test_where_nothing_can_be_guessed_the_page_is_believed() -> None:
    numbers = text("1 2 3")
    assert Language()(page(numbers, language="en-US")).page is not None
    assert Language()(page(numbers, language="de")).page is None
    assert Language()(page(numbers)).page is None


def test_what_a_page_says_does_not_beat_what_it_is() -> None:
    assert language_of(page(text(GERMAN), language="en")) == "de"
    assert language_of(page(text(ENGLISH), language="de")) == "en"


def test_what_a_page_says_decides_between_near_guesses() -> None:
    guesses = guessed_languages(ENGLISH)
    second, rank = guesses[1]
    gap = rank - guesses[0][1]
    said = page(text(ENGLISH), language=second)
    assert language_of(said, margin=gap) == second
    assert language_of(said, margin=gap - 1) == "en"


def test_rare_languages_must_be_clearly_ahead_where_they_are_not_asked_for() -> None:
    latin = (
        "Gallia est omnis divisa in partes tres, quarum unam incolunt Belgae, aliam Aquitani, "
        "tertiam qui ipsorum lingua Celtae, nostra Galli appellantur. Hi omnes lingua, institutis, "
        "legibus inter se differunt."
    )
    assert language_of(page(text(latin))) == "la"
    names = "GNU Image Manipulation Program, Debian, Perl, Script, Plugins, Menus, Dialogs, Image"
    asked, unasked = guessed_languages(names, ("la", "lb", "fy")), guessed_languages(names)
    for rare in ("la", "lb", "fy"):
        if rare in dict(asked):
            assert dict(unasked)[rare] == dict(asked)[rare] + 30
    assert {rare for rare in ("la", "lb", "fy") if rare in dict(asked)}
    assert [rank for _, rank in unasked] == sorted(rank for _, rank in unasked)


def test_code_does_not_decide_where_there_is_prose() -> None:
    code = text(GERMAN, GERMAN, kind="code")
    assert language_of(page(text(ENGLISH), code)) == "en"
    assert language_of(page(code)) == "de"


@pytest.mark.parametrize(
    ("name", "code"),
    [("en", "en"), (" EN_us ", "en"), ("de-AT", "de"), ("xx", None), ("", None), (None, None)],
)
def test_names_of_languages(name: str | None, code: str | None) -> None:
    assert language_code(name) == code


def test_paragraphs_in_other_languages_go() -> None:
    nodes = [text(ENGLISH), image(), text(GERMAN), text("Kurzer Text auf Deutsch")]
    assert kept_of(ParagraphLanguage(), *nodes) == [nodes[0], nodes[1], nodes[3]]
    assert kept_of(ParagraphLanguage(languages=("de", "en")), *nodes) == nodes


def test_paragraphs_are_looked_at_from_a_length_on() -> None:
    node = text(GERMAN)
    assert kept_of(ParagraphLanguage(min_characters=len(GERMAN)), node) == []
    assert kept_of(ParagraphLanguage(min_characters=len(GERMAN) + 1), node) == [node]


def test_paragraphs_stay_where_a_wanted_language_is_near() -> None:
    best, second = guessed_languages(GERMAN)[:2]
    step = {"languages": (second[0],), "min_characters": 0}
    gap = second[1] - best[1]
    assert len(kept_of(ParagraphLanguage(**step, margin=gap), text(GERMAN))) == 1
    assert kept_of(ParagraphLanguage(**step, margin=gap - 1), text(GERMAN)) == []


def test_headings_and_code_are_exempt() -> None:
    nodes = [text(GERMAN, kind="heading"), text(GERMAN, kind="code")]
    assert kept_of(ParagraphLanguage(), *nodes) == nodes


@pytest.mark.parametrize("step", [Language, ParagraphLanguage])
def test_impossible_settings(step: type[Language] | type[ParagraphLanguage]) -> None:
    with pytest.raises(ConfigError, match="no language 'englsh'"):
        step(languages=("englsh",))
    with pytest.raises(ConfigError, match="no language is wanted"):
        step(languages=())
    with pytest.raises(ConfigError, match="margin=-1"):
        step(margin=-1)
