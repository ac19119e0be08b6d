from __future__ import annotations

import sys

import pytest

from flamingo.evaluation.metrics.nltk_data import wordnet
from flamingo.evaluation.metrics.outcome import Metric
from flamingo.evaluation.metrics.registry import METRICS, check_metric, metric_named
from flamingo.foundation.errors import ConfigError


def test_all_metrics_have_a_name_of_their_own_in_tables() -> None:
    metrics = [metric_named(name) for name in METRICS]
    assert all(isinstance(metric, Metric) for metric in metrics)
    assert len({metric.name for metric in metrics}) == len(metrics)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("accuracy", "accuracy"),
        ("vqa-accuracy", "VQA accuracy"),
        ("vqa-accuracy:official", "VQA accuracy (official)"),
        ("okvqa-accuracy", "OK-VQA accuracy (rules)"),
        ("cider", "CIDEr"),
        ("top-1", "top-1"),
        ("top-1-5", "mean of top-1 and top-5"),
        ("ndcg", "NDCG"),
        ("roc-auc", "ROC AUC"),
        ("mwap", "mWAP"),
        ("wups", "WUPS@0"),
        ("ivqa-accuracy", "iVQA accuracy"),
        ("multiple-choice-by-type", "mean accuracy over types"),
    ],
)
def test_names(name: str, title: str) -> None:
    assert metric_named(name).name == title


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no metric 'cidre'. Did you mean 'cider'\? .*top-1-5"):
        metric_named("cidre")


def test_most_metrics_need_nothing() -> None:
    extra = {"cider:java", "okvqa-accuracy:nltk", *(name for name in METRICS if "wups" in name)}
    for name in METRICS.keys() - extra:
        check_metric(name)


def test_what_is_not_installed_is_told_before_the_first_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("nltk.corpus", "inflection", "pycocoevalcap.tokenizer.ptbtokenizer"):
        monkeypatch.setitem(sys.modules, module, None)
    wordnet.cache_clear()
    for name in ("wups", "wups:morphy", "okvqa-accuracy:nltk", "cider:java"):
        with pytest.raises(ConfigError, match="not installed"):
            check_metric(name)
