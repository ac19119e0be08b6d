from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.pairs import PairSettings
from flamingo.data.collection.pairs.settings import CHECKS, Columns
from flamingo.data.collection.pairs.texts import cleaned, refusal
from flamingo.foundation.errors import ConfigError

PLAIN = PairSettings()
LOOSE = PairSettings(min_words=1)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  A dog\n\truns\r\n ", "A dog runs"),
        ("Tom &amp; Jerry &lt;3", "Tom & Jerry <3"),
        ("cafe\u0301 at night", "caf\u00e9 at night"),
        ("A\x00 dog\x1b[0m", "A dog [0m"),
        ("half \ud800 of it", "half of it"),
        ("two\u2028lines", "two lines"),
    ],
)
def test_texts_become_clean(text: str, clean: str) -> None:
    assert cleaned(text, PLAIN) == clean


@pytest.mark.parametrize(
    ("text", "step", "reason"),
    [
        ("", "words", "0 words, at least 3"),
        ("Two words", "words", "2 words, at least 3"),
        ("word " * 129, "words", "129 words, at most 128"),
        ("12 34 5 67 89 a", "letters", "0.10 of it are letters, at least 0.5"),
        ("A dog <image> runs home", "markup", "it has the tag <image>"),
        ("A dog runs home <EOC>", "markup", "it has the tag <EOC>"),
        ("A dog runs <|endoftext|>", "markup", "it has the tag <|endoftext|>"),
        ("see the file dog_final.JPG here", "file-name", "it has a file name, …l.JPG"),
        ("click here to enlarge the image", "generic", "could stand for any image"),
        ("Shoes at https://shop.example now", "address", "it has an address, https://"),
        ("Buy it from shoes.com today", "address", "it has an address, shoes.com"),
        ("write to me@example.org for more", "address", "it has an address"),
        ("Eine Frau mit einem Hut auf dem Kopf", "language", "of its words are de, 0 en"),
        ("Женщина в красной шляпе", "language", "100% of the letters are not Latin"),
    ],
)
def test_what_describes_no_image_is_refused(text: str, step: str, reason: str) -> None:
    problem = refusal(text, PLAIN)
    assert problem is not None
    assert problem.step == step
    assert reason in problem.reason


@pytest.mark.parametrize(
    "text",
    ["IMG_1234", "DSC00017", "image 12", "Screenshot 2020-01-05 at 10.11.12", "photo-1-2", "WP 2"],
)
def test_names_that_cameras_give_are_refused(text: str) -> None:
    problem = refusal(text, PairSettings(min_words=1, min_letters=0.0))
    assert problem is not None
    assert problem.step == "file-name"


@pytest.mark.parametrize(
    "text",
    [
        "A dog runs over the meadow",
        "<PERSON> stands on a stage",
        "A photo of the old logo",
        "The number 7 bus. It is late",
        "Mona Lisa di Leonardo",
        "Plaza de la Constitución in Mexico",
        "Photo 51 shows the helix of DNA",
        "Two dogs",
    ],
)
def test_what_describes_one_passes(text: str) -> None:
    assert refusal(cleaned(text, LOOSE), LOOSE) is None


def test_checks_can_be_left_out() -> None:
    for name in CHECKS:
        others = tuple(one for one in CHECKS if one != name)
        found = [
            refusal(text, PairSettings(checks=others)) for text in ("a", "1 2 3", "Der Hut die")
        ]
        assert name not in [one.step for one in found if one is not None]
    assert refusal("", PairSettings(checks=())) is None


@given(st.text(max_size=300))
def test_any_text_is_cleaned_once_and_for_all(text: str) -> None:
    settings = PairSettings(remove_dates=True, remove_places=True)
    clean = cleaned(text, settings)
    clean.encode()
    assert "\n" not in clean
    problem = refusal(clean, settings)
    assert problem is None or problem.step in CHECKS


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"checks": ("wrods",)}, "Did you mean 'words'"),
        ({"min_words": -1}, "min_words=-1 is impossible"),
        ({"max_words": 2}, "max_words=2 is impossible with min_words=3"),
        ({"min_side": 0}, "min_side=0 is impossible"),
        ({"max_same_text": 0}, "max_same_text=0"),
        ({"min_letters": 1.5}, "min_letters=1.5"),
        ({"max_aspect": 0.5}, "max_aspect=0.5"),
        ({"max_aspect": float("nan")}, "max_aspect=nan"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PairSettings(**settings)


def test_impossible_columns_are_refused() -> None:
    with pytest.raises(ConfigError, match="media=-1"):
        Columns(media=-1)
    with pytest.raises(ConfigError, match="delimiter=';;'"):
        Columns(delimiter=";;")
