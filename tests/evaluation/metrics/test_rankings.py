"""Top-k and NDCG, which look at the order of candidates."""

from __future__ import annotations

import math
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.metrics.candidates import probabilities
from flamingo.evaluation.metrics.ndcg import Ndcg
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.metrics.top_k import TopK
from flamingo.foundation.errors import DataError

SCORES = st.lists(st.floats(-50, 0), min_size=2, max_size=12)


def ranked(scores: list[float], right: str = "0", **details: object) -> Outcome:
    candidates = tuple((str(number), score) for number, score in enumerate(scores))
    return Outcome("", (right,), candidates, details)


@settings(max_examples=100, deadline=None)
@given(SCORES, st.integers(1, 6))
def test_top_k_counts_what_is_not_beaten(scores: list[float], k: int) -> None:
    # The right one is the first; a wrong one that is as good stands before it.
    order = sorted(range(len(scores)), key=lambda number: (-scores[number], number == 0))
    assert TopK((k,)).each([ranked(scores)]) == [float(0 in order[:k])]


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(8)), st.integers(0, 7))
def test_top_k_is_that_of_scikit_learn_without_ties(order: list[int], right: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores = [float(-place) for place in order]
    for k in (1, 5):
        expected = metrics.top_k_accuracy_score([right], [scores], k=k, labels=range(8))
        assert TopK((k,)).each([ranked(scores, str(right))]) == [expected]


def test_the_mean_of_two_places() -> None:
    places = [ranked([-1.0, *([0.0] * better), *([-2.0] * 5)]) for better in (0, 3, 5)]
    metric = TopK((1, 5))
    assert metric.each(places) == [1.0, 0.5, 0.0]
    assert metric.total(places, metric.each(places)) == pytest.approx(50)
    assert (metric.name, TopK().name) == ("mean of top-1 and top-5", "top-1")


def test_a_model_that_tells_nothing_apart_is_never_right() -> None:
    assert TopK().each([ranked([-3.0] * 4, str(right)) for right in range(4)]) == [0.0] * 4


def test_several_right_answers_and_classes_of_one_name() -> None:
    crane = (("crane", -3.0), ("crane", -1.0), ("dog", -2.0))
    assert TopK().each([Outcome("", ("crane",), crane)]) == [1.0]
    assert TopK().each([Outcome("", ("dog", "crane"), crane)]) == [1.0]


def ndcg_by_the_starter_code(scores: list[float], relevance: list[float]) -> float:
    """Ranks first, then their inverse, then the sums, as the starter code goes about it."""
    num = len(scores)
    ranking = sorted(range(num), key=lambda number: -scores[number])
    ranks = [ranking.index(number) + 1 for number in range(num)]
    by_rank = sorted(range(num), key=lambda number: ranks[number])
    best = sorted(range(num), key=lambda number: -relevance[number])
    k = sum(value != 0 for value in relevance)

    def dcg(order: list[int]) -> float:
        return fmean(
            len(order[:k]) * relevance[number] / math.log2(place + 2)
            for place, number in enumerate(order[:k])
        )

    return dcg(by_rank) / dcg(best)


RELEVANCE = st.lists(st.sampled_from([0.0, 0.0, 0.2, 0.5, 1.0]), min_size=3, max_size=12)


@settings(max_examples=100, deadline=None)
@given(RELEVANCE.filter(any), st.randoms(use_true_random=False))
def test_ndcg_is_that_of_the_starter_code_and_of_scikit_learn(
    relevance: list[float], rng: object
) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores = [float(-number) for number in range(len(relevance))]
    rng.shuffle(scores)  # type: ignore[attr-defined]
    (found,) = Ndcg().each([ranked(scores, relevance=relevance)])
    assert found == pytest.approx(ndcg_by_the_starter_code(scores, relevance))
    k = sum(value > 0 for value in relevance)
    assert found == pytest.approx(metrics.ndcg_score([relevance], [scores], k=k))


def test_of_equals_the_earlier_candidate_stands_first() -> None:
    assert Ndcg().each([ranked([-1.0, -1.0], relevance=[1.0, 0.0])]) == [1.0]
    assert Ndcg().each([ranked([-1.0, -1.0], relevance=[0.0, 1.0])]) == [0.0]


def test_probabilities_are_shares_even_where_they_vanish() -> None:
    shares = probabilities(np.array([-1000.0, -1000.0, -np.inf]))
    assert shares.tolist() == [0.5, 0.5, 0.0]


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome("a", ("a",)), "no candidates"),
        (ranked([-1.0, float("nan")]), "candidate '1' is not a number"),
        (ranked([-1.0, -2.0], right="7"), "none of the right answers '7' is among the 2"),
        (Outcome("a", (), (("a", -1.0),)), "no references"),
    ],
)
def test_what_cannot_be_ranked_is_told(outcome: Outcome, told: str) -> None:
    with pytest.raises(DataError, match=told):
        TopK().each([outcome])


@pytest.mark.parametrize(
    ("relevance", "told"),
    [
        ([1.0], "has 2 candidates, and its detail 'relevance' holds 1"),
        ([0.0, 0.0], "no candidate is relevant"),
        ([1.0, -1.0], "below 0"),
    ],
)
def test_relevance_that_does_not_fit_is_told(relevance: list[float], told: str) -> None:
    with pytest.raises(DataError, match=told):
        Ndcg().each([ranked([-1.0, -2.0], relevance=relevance)])
