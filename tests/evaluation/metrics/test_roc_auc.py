from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.metrics.roc_auc import RocAuc, roc_auc
from flamingo.foundation.errors import DataError


def meme(is_hateful: bool, no: float, yes: float) -> Outcome:
    candidates = (("no", no), ("yes", yes))
    return Outcome("", ("yes" if is_hateful else "no",), candidates)


ROWS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([-3.0, -2.0, -1.5, -1.0])), min_size=2, max_size=30
).filter(lambda rows: len({is_positive for is_positive, _ in rows}) == 2)


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_it_is_that_of_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    outcomes = [meme(is_positive, -2.0, yes) for is_positive, yes in rows]
    shares = [np.exp(yes) / (np.exp(yes) + np.exp(-2.0)) for _, yes in rows]
    expected = metrics.roc_auc_score([is_positive for is_positive, _ in rows], shares)
    metric = RocAuc()
    each = metric.each(outcomes)
    assert metric.total(outcomes, each) == pytest.approx(100 * expected)
    right = [
        share if is_positive else 1 - share
        for (is_positive, _), share in zip(rows, shares, strict=True)
    ]
    assert each == pytest.approx(right)


@settings(max_examples=50, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_a_sample_is_scored_as_its_outcomes_would_be(
    rows: list[tuple[bool, float]], rng: object
) -> None:
    outcomes = [meme(is_positive, -2.0, yes) for is_positive, yes in rows]
    picked = [rng.randrange(len(rows)) for _ in rows]  # type: ignore[attr-defined]
    found = RocAuc().resampled(outcomes, [])(np.array(picked))
    sample = [outcomes[number] for number in picked]
    if len({outcome.references for outcome in sample}) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(RocAuc().total(sample, []))


def test_it_looks_at_the_difference_of_both_candidates() -> None:
    outcomes = [meme(True, -9.0, -8.0), meme(False, -1.0, -3.0)]
    assert RocAuc().total(outcomes, []) == 100.0


def test_a_tie_is_half_won() -> None:
    assert roc_auc(np.array([0.5, 0.5]), np.array([True, False])) == 0.5


def test_errors() -> None:
    hateful = meme(True, -1.0, -2.0)
    with pytest.raises(DataError, match="all 2 have 'yes'"):
        RocAuc().total([hateful, hateful], [])
    with pytest.raises(DataError, match="'hateful' is not among the candidates 'no', 'yes'"):
        RocAuc(positive="hateful").each([hateful])
    with pytest.raises(DataError, match="'Yes' is not among"):
        RocAuc().each([Outcome("", ("Yes",), hateful.candidates)])
    with pytest.raises(DataError, match="no candidates"):
        RocAuc().each([Outcome("yes", ("yes",))])
