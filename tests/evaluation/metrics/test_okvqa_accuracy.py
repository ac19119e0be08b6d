from __future__ import annotations

import sys

import pytest

from flamingo.evaluation.metrics import nltk_data, okvqa_stems
from flamingo.evaluation.metrics.okvqa_accuracy import OkvqaAccuracy
from flamingo.evaluation.metrics.okvqa_exceptions import EXCEPTIONS
from flamingo.evaluation.metrics.okvqa_stems import nltk_stem, rule_stem, singular, verb
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.foundation.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ("text", "stems"),
    [
        ("riding horses", "ride horse"),
        ("running", "run"),
        ("falling", "fall"),
        ("baking cakes", "bake cake"),
        ("skiing", "ski"),
        ("eating", "eat"),
        ("decorating", "decorate"),
        ("juggling", "juggle"),
        ("lying", "lie"),
        ("hanging", "hang"),
        ("pouring", "pour"),
        ("something", "something"),
        ("enduring", "endure"),
        ("king", "king"),
        ("string", "string"),
        ("men and women", "man and woman"),
        ("people", "person"),
        ("glasses", "glass"),
        ("grass", "grass"),
        ("bus", "bus"),
        ("this is", "this is"),
        ("tennis", "tennis"),
        ("morning", "morn"),
        ("firefighters", "firefight"),
        ("surf board", "surf board"),
        ("", ""),
    ],
)
def test_stems_by_rules(text: str, stems: str) -> None:
    assert rule_stem(text) == stems


def test_exceptions_come_first() -> None:
    assert len(EXCEPTIONS) == 168
    assert all(rule_stem(word) == stem for word, stem in EXCEPTIONS.items())


PLURALS = """
cookies movies shoes tomatoes buses glasses houses horses knives wives waves boxes churches dishes
men women children people teeth mice fish sheep species series boys skies stars news quizzes
aliases loaves hives moves heroes photos kisses dresses benches cats bananas keys
"""


def test_singulars_are_those_of_inflection() -> None:
    inflection = pytest.importorskip("inflection")
    words = PLURALS.split()
    assert [singular(word) for word in words] == [inflection.singularize(word) for word in words]


VERBS = """
surfing skateboarding playing eating sitting flying cooking baking driving swimming skiing
snowboarding walking jumping drinking cutting smiling sleeping throwing catching batting sailing
kicking reading writing cleaning brushing painting fishing shopping grazing swinging
"""


def test_verbs_are_those_of_wordnet() -> None:
    pytest.importorskip("nltk")
    try:
        lemmatize = nltk_data.lemmatizer()
    except ConfigError as error:
        pytest.skip(str(error))
    words = VERBS.split()
    assert [verb(word) for word in words] == [lemmatize(word, "v") for word in words]


def test_the_published_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nltk")
    pytest.importorskip("inflection")
    try:
        nltk_data.lemmatizer()
    except ConfigError as error:
        pytest.skip(str(error))

    def tagger() -> object:
        return lambda words: [(word, "NNS" if word == "dogs" else "VBZ") for word in words]

    monkeypatch.setattr(okvqa_stems, "tagger", tagger)
    assert nltk_stem("riding dogs runs morning flying") == "ride dog runs morn fly"


def test_only_the_prediction_is_stemmed() -> None:
    references = ("ride horse",) * 4 + ("ride",) * 6
    outcomes = [Outcome("Riding horses", references), Outcome("riding horses.", references)]
    # The rules are for lowercase words: "Riding" is no exception, but a verb all the same.
    assert OkvqaAccuracy().each(outcomes) == pytest.approx([1.0, 1.0])
    assert OkvqaAccuracy().each([Outcome("riding", ("riding",) * 10)]) == [0.0]


def test_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "inflection", None)
    with pytest.raises(ConfigError, match="package inflection"):
        OkvqaAccuracy("nltk").each([Outcome("dogs", ("dog",) * 10)])
    with pytest.raises(DataError, match="one reference"):
        OkvqaAccuracy().each([Outcome("dogs", ("dog",))])
