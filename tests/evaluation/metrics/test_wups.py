from __future__ import annotations

import csv
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.metrics import nltk_data, wups_words
from flamingo.evaluation.metrics import wups as wups_module
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.metrics.wups import Wups, wordnet_similarity, wup, wups
from flamingo.evaluation.metrics.wups_words import morphy_words, tagged_words
from flamingo.foundation.errors import ConfigError, DataError
from tests.evaluation.metrics.annotation_fixtures import fixture_file

NEAR = {
    frozenset({"dog", "cat"}): 0.86,
    frozenset({"dog", "wolf"}): 0.93,
    frozenset({"cat", "wolf"}): 0.82,
    frozenset({"red", "blue"}): 0.9,
}
WORDS = st.lists(st.sampled_from(["dog", "cat", "wolf", "red", "blue", "xyz"]), max_size=5)


def meaning(first: str, second: str) -> float:
    return NEAR.get(frozenset({first, second}), 0.0)


def wups_in_loops(words: list[str], others: list[str], threshold: float) -> float:
    """One direction, as the official code computes it."""
    product, is_any = 1.0, False
    for word in words:
        best = 0.0
        for other in others:
            value = 1.0 if word == other else meaning(word, other)
            if word != other and value < threshold:
                value = 0.1 * value
            best = max(best, value)
        if best == 0:
            continue
        product *= best
        is_any = True
    return product if is_any else 0.0


@settings(max_examples=80, deadline=None)
@given(WORDS, WORDS, st.sampled_from([0.0, 0.9]))
def test_it_is_the_official_formula(words: list[str], others: list[str], threshold: float) -> None:
    found = wups(words, others, lambda first, second: wup(first, second, threshold, meaning))
    expected = min(wups_in_loops(words, others, threshold), wups_in_loops(others, words, threshold))
    assert found == pytest.approx(expected)


def test_a_word_like_no_other_is_passed_over() -> None:
    assert wups(["dog", "xyz"], ["dog"], lambda one, other: float(one == other)) == 1.0
    assert wups(["xyz"], ["dog"], meaning) == wups([], ["dog"], meaning) == wups([], [], meaning)
    assert wups([], [], meaning) == 0.0


def test_below_the_threshold_a_tenth_counts() -> None:
    assert wup("dog", "cat", 0.9, meaning) == pytest.approx(0.086)
    assert wup("red", "blue", 0.9, meaning) == pytest.approx(0.9)
    assert wup("xyz", "xyz", 0.9, meaning) == 1.0


def test_the_metric_takes_the_best_reference_and_is_strict_on_two_types(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wups_module, "wordnet", lambda: None)
    monkeypatch.setattr(wups_module, "morphy_words", str.split)
    monkeypatch.setattr(wups_module, "wordnet_similarity", meaning)
    outcomes = [
        Outcome("dog", ("cat", "wolf"), details={"type": "CW"}),
        Outcome("dog", ("cat", "wolf")),
        Outcome("dog", ("cat", "wolf"), details={"type": "DC"}),
        Outcome("dog", ("cat", "dog"), details={"type": "DB"}),
    ]
    assert Wups(lemmas="morphy").each(outcomes) == pytest.approx([0.93, 0.93, 0.0, 1.0])
    strict = Wups(0.9, lemmas="morphy").each([Outcome("cat", ("wolf", "dog"))])
    assert strict == pytest.approx([0.086])
    with pytest.raises(DataError, match="no references"):
        Wups(lemmas="morphy").each([Outcome("dog", ())])


def test_names() -> None:
    names = [Wups().name, Wups(0.9).name, Wups(lemmas="morphy").name]
    assert names == ["WUPS@0", "WUPS@0.9", "WUPS@0 (morphy)"]


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("nltk", "nltk.corpus"):
        monkeypatch.setitem(sys.modules, name, None)
    for load in (nltk_data.wordnet, nltk_data.tagger):
        load.cache_clear()
        with pytest.raises(ConfigError, match=r"package nltk, .*\n.*flamingo-vlm\[eval\]"):
            load()


def needs_wordnet() -> None:
    pytest.importorskip("nltk")
    try:
        nltk_data.wordnet()
    except ConfigError as error:
        pytest.skip(str(error))


def test_similarities_of_wordnet() -> None:
    needs_wordnet()
    assert wordnet_similarity("dog", "cat") == pytest.approx(6 / 7)
    assert wordnet_similarity("dog", "xyzzy") == 0.0


def test_words_by_wordnet_alone() -> None:
    needs_wordnet()
    assert morphy_words("the dogs were running to a Bulldozer") == ["dog", "running", "bulldozer"]


def test_words_by_their_part_of_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_wordnet()
    tags = {"dogs": "NNS", "were": "VBD", "running": "VBG", "better": "JJR", "quickly": "RB"}

    def tagger() -> object:
        return lambda words: [(word, tags.get(word, "IN")) for word in words]

    monkeypatch.setattr(wups_words, "tagger", tagger)
    assert tagged_words("dogs were running better") == ["dog", "run", "good"]
    # Not known to WordNet, not even its stem: it stays.
    assert tagged_words("qwertying") == ["qwertying"]


def test_an_answer_is_most_like_itself() -> None:
    needs_wordnet()
    with fixture_file("nextoe_val.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:100]
    same = [Outcome(row["answer"], (row["answer"],)) for row in rows]
    other = [Outcome(row["answer"], (next_row["answer"],)) for row, next_row in pairwise(rows)]
    metric = Wups(lemmas="morphy")
    # An answer of nothing but little words has no words left, and is worth nothing.
    assert all(value in (0.0, 1.0) for value in metric.each(same))
    assert metric.total(other, metric.each(other)) < 30 < 95 < metric.total(same, metric.each(same))
