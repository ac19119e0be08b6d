from __future__ import annotations

import csv
import json
import math
import sys
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.metrics.cider import Cider, cider_d
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.foundation.errors import ConfigError, DataError
from tests.evaluation.metrics.annotation_fixtures import fixture_file

CAPTIONS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8)
PICTURES = st.lists(
    st.tuples(CAPTIONS, st.lists(CAPTIONS, min_size=1, max_size=3)), min_size=1, max_size=6
)


def grams(words: list[str], n: int) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for start in range(len(words) - n + 1):
        counts[" ".join(words[start : start + n])] += 1
    return dict(counts)


def cider_by_the_paper(pictures: list[tuple[list[str], list[list[str]]]]) -> list[float]:
    """Equations 1 to 3 of the paper, with clipping and the penalty of CIDEr-D, n by n.

    The length is that of the official code: the number of bigrams.
    """

    def rarity(gram: str, n: int) -> float:
        having = sum(
            any(gram in grams(caption, n) for caption in references) for _, references in pictures
        )
        return math.log(len(pictures) / max(1, having))

    def vector(words: list[str], n: int) -> dict[str, float]:
        return {gram: count * rarity(gram, n) for gram, count in grams(words, n).items()}

    def norm(of: dict[str, float]) -> float:
        return math.sqrt(sum(value**2 for value in of.values()))

    scores = []
    for prediction, references in pictures:
        by_n = []
        for n in (1, 2, 3, 4):
            own, total = vector(prediction, n), 0.0
            for reference in references:
                other = vector(reference, n)
                length = norm(own) * norm(other)
                product = sum(
                    min(value, other.get(gram, 0)) * other.get(gram, 0)
                    for gram, value in own.items()
                )
                sizes = sum(grams(prediction, 2).values()), sum(grams(reference, 2).values())
                penalty = math.exp(-((sizes[0] - sizes[1]) ** 2) / (2 * 6**2))
                total += penalty * product / length if length else 0.0
            by_n.append(10 * total / len(references))
        scores.append(sum(by_n) / 4)
    return scores


@settings(max_examples=40, deadline=None)
@given(PICTURES)
def test_it_is_what_the_paper_defines(pictures: list[tuple[list[str], list[list[str]]]]) -> None:
    predictions, references = zip(*pictures, strict=True)
    expected = cider_by_the_paper(pictures)
    assert cider_d(predictions, references) == pytest.approx(expected, abs=1e-6)


def test_an_own_caption_is_worth_ten_and_a_single_picture_nothing() -> None:
    dogs, cats = ["a", "dog", "runs", "on", "grass"], ["two", "cats", "sleep", "in", "bed"]
    assert cider_d([dogs, cats], [[dogs], [cats]]) == pytest.approx([10, 10])
    assert cider_d([dogs], [[dogs]]) == [0.0]
    assert cider_d([], []) == []


def fake_captions() -> list[Outcome]:
    results = json.loads(fixture_file("captions_val2014_fakecap_results.json").read_text())
    captions = [result["caption"] for result in results]
    return [Outcome(text, (text, text + " on a sunny day.")) for text in captions]


def test_the_score_of_the_official_example() -> None:
    outcomes = fake_captions()
    metric = Cider()
    total = metric.total(outcomes, metric.each(outcomes))
    assert total / 100 == pytest.approx(8.684771512063744, abs=1e-9)


def audio_captions() -> list[Outcome]:
    with fixture_file("aac_example_1.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [f"caption_{number}" for number in range(1, 6)]
    return [
        Outcome(row["caption_predicted"], tuple(row[name] for name in names if row[name]))
        for row in rows
    ]


def test_the_score_of_real_captions_with_several_references() -> None:
    outcomes = audio_captions()
    metric = Cider()
    # As pycocoevalcap 1.2 with Java gives it.
    expected = 0.40172373459481703
    assert metric.total(outcomes, metric.each(outcomes)) / 100 == pytest.approx(expected, abs=1e-9)


def test_it_is_that_of_the_official_code() -> None:
    official = pytest.importorskip("pycocoevalcap.cider.cider")
    tokenizers = pytest.importorskip("pycocoevalcap.tokenizer.ptbtokenizer")
    for outcomes in (fake_captions(), audio_captions()):
        texts = [
            {n: [{"caption": text} for text in one.references] for n, one in enumerate(outcomes)},
            {n: [{"caption": one.prediction}] for n, one in enumerate(outcomes)},
        ]
        words = [tokenizers.PTBTokenizer().tokenize(captions) for captions in texts]
        _, expected = official.Cider().compute_score(*words)
        assert Cider().each(outcomes) == pytest.approx(list(expected), abs=1e-9)
        assert Cider("java").each(outcomes) == pytest.approx(list(expected), abs=1e-9)


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="no references"):
        Cider().each([Outcome("a dog", ())])
    monkeypatch.setitem(sys.modules, "pycocoevalcap.tokenizer.ptbtokenizer", None)
    with pytest.raises(ConfigError, match="pip install pycocoevalcap"):
        Cider("java").each([Outcome("a dog", ("a dog",))])
