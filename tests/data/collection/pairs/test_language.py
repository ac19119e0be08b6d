from __future__ import annotations

import pytest

from flamingo.data.collection.pairs.language import LONG, other_language


@pytest.mark.parametrize(
    "text",
    [
        "Two dogs",
        "A cat on a red sofa",
        "Eiffel Tower Paris",
        "Mona Lisa di Leonardo da Vinci in the Louvre",
        "Piña colada",
        "I think I do as no one did",
        "Man who met a van",
        "Pour water on sur la table",
        "The word 雨 means rain",
        "",
        "1234 !",
    ],
)
def test_what_may_be_english_stays(text: str) -> None:
    assert other_language(text, "en") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Der Hund und das Haus", "3 of its words are de, 0 en"),
        ("Une femme avec un chapeau et les enfants", "fr"),
        ("El perro y la casa", "es"),
        ("Het huis bij een man", "nl"),
        ("赤い帽子をかぶった女性", "not Latin"),
        ("Κόκκινο σπίτι", "not Latin"),
    ],
)
def test_other_languages_go(text: str, reason: str) -> None:
    assert reason in (other_language(text, "en") or "")


def test_long_texts_are_judged_by_their_letters_too() -> None:
    finnish = "Koira juoksee pitkin rantaa ja kissa nukkuu sohvalla, kun lapset leikkivät. " * 4
    assert len(finnish.split()) > LONG
    assert other_language(finnish, "en") == "it is in fi, not en"
    assert other_language(finnish, "fi") is None
    # Where a text repeats itself, letters mislead.
    assert other_language("Now we cut slice number 4 of the bread. " * 4, "en") is None


def test_any_language_may_be_wanted() -> None:
    assert other_language("Der Hund und die Katze", "de") is None
    assert other_language("The dog and the cat of the house", "de") is not None
    assert other_language("赤い帽子をかぶった女性", "ja") is None
