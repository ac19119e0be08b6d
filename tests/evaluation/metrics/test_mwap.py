from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.metrics.mwap import Mwap
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.foundation.errors import DataError

ACTIONS = [("cut", "phone"), ("cut", "shoe"), ("wash", "phone"), ("wash", "door"), ("fry", "egg")]


def mwap_by_hand(rows: list[dict[str, Any]], scores: np.ndarray) -> float:
    """As the official script goes about it, with scikit-learn for the average precision."""
    metrics = pytest.importorskip("sklearn.metrics")
    found = []
    for number, (verb, noun) in enumerate(ACTIONS):
        groups: dict[str, list[int]] = {"positive": [], "negative": [], "hard": []}
        for place, row in enumerate(rows):
            is_own = row["class"] == number
            if is_own and row["annotation"] == 1:
                groups["positive"].append(place)
            elif is_own:
                groups["hard" if row["annotation"] else "negative"].append(place)
            elif row["annotation"] == 1:
                is_near = (row["verb"] == verb) != (row["noun"] == noun)
                groups["hard" if is_near else "negative"].append(place)
        if not groups["positive"]:
            continue
        labels, values, weights = [], [], []
        for name, places in groups.items():
            clips = Counter(rows[place]["video"] for place in places)
            labels += [int(name == "positive")] * len(places)
            values += [scores[place, number] for place in places]
            weights += [1 / clips[rows[place]["video"]] for place in places]
        found.append(metrics.average_precision_score(labels, values, sample_weight=weights))
    return 100 * float(np.mean(found))


ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40
).filter(lambda rows: any(mark == 1 for _, mark, _ in rows))


def described(rows: list[tuple[int, int, int]]) -> list[dict[str, Any]]:
    return [
        {
            "video": f"v{video}",
            "class": number,
            "annotation": mark,
            "verb": ACTIONS[number][0],
            "noun": ACTIONS[number][1],
        }
        for number, mark, video in rows
    ]


def outcomes_of(rows: list[dict[str, Any]], scores: np.ndarray) -> list[Outcome]:
    names = [" ".join(action) for action in ACTIONS]
    return [
        Outcome("", (names[row["class"]],), tuple(zip(names, values, strict=True)), row)
        for row, values in zip(rows, scores.tolist(), strict=True)
    ]


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(0, 1000))
def test_it_is_that_of_the_official_script(rows: list[tuple[int, int, int]], seed: int) -> None:
    # Few different scores, so that there are ties.
    scores = np.random.default_rng(seed).integers(-6, 0, size=(len(rows), 5)).astype(float)
    outcomes = outcomes_of(described(rows), scores)
    expected = mwap_by_hand(described(rows), scores)
    assert Mwap().total(outcomes, []) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(ROWS, st.integers(0, 1000))
def test_a_sample_is_scored_as_its_outcomes_would_be(
    rows: list[tuple[int, int, int]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(len(rows), 5))
    outcomes = outcomes_of(described(rows), scores)
    picked = rng.integers(len(rows), size=len(rows))
    found = Mwap().resampled(outcomes, [])(picked)
    if any(rows[number][1] == 1 for number in picked):
        sample = [outcomes[number] for number in picked]
        assert found == pytest.approx(Mwap().total(sample, []), rel=1e-9)
    else:
        assert np.isnan(found)


def test_each_is_the_share_of_the_class_or_what_is_left_of_it() -> None:
    rows = described([(0, 1, 0), (0, 0, 0)])
    scores = np.log(np.array([[0.6, 0.1, 0.1, 0.1, 0.1]] * 2))
    assert Mwap().each(outcomes_of(rows, scores)) == pytest.approx([0.6, 0.4])


def test_errors() -> None:
    scores = np.zeros((2, 5))
    with pytest.raises(DataError, match="none of 2 outcomes has the annotation 1"):
        Mwap().total(outcomes_of(described([(0, 0, 0), (1, 2, 0)]), scores), [])
    with pytest.raises(DataError, match="none of 0 outcomes"):
        Mwap().total([], [])
    rows = described([(0, 1, 0), (0, 1, 1)])
    with pytest.raises(DataError, match="class 0 stands for several actions: cut egg, cut phone"):
        Mwap().total(outcomes_of([rows[0], {**rows[1], "noun": "egg"}], scores), [])
    with pytest.raises(DataError, match=r"no detail 'verb', only"):
        Mwap().total([Outcome("", ("a",), (("a", 0.0),), {"class": 0, "annotation": 1})], [])
    with pytest.raises(DataError, match="1 candidates, and classes up to number 4"):
        Mwap().total([Outcome("", ("a",), (("a", 0.0),), described([(4, 1, 0)])[0])], [])
