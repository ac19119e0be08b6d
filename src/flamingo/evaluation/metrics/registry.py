"""Metrics by the names that benchmarks and commands call them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flamingo.evaluation.metrics.accuracy import Accuracy
from flamingo.evaluation.metrics.cider import Cider
from flamingo.evaluation.metrics.ivqa_accuracy import IvqaAccuracy
from flamingo.evaluation.metrics.multiple_choice_by_type import MultipleChoiceByType
from flamingo.evaluation.metrics.mwap import Mwap
from flamingo.evaluation.metrics.ndcg import Ndcg
from flamingo.evaluation.metrics.okvqa_accuracy import OkvqaAccuracy
from flamingo.evaluation.metrics.outcome import Metric
from flamingo.evaluation.metrics.roc_auc import RocAuc
from flamingo.evaluation.metrics.top_k import TopK
from flamingo.evaluation.metrics.vqa_accuracy import VqaAccuracy
from flamingo.evaluation.metrics.wups import Wups
from flamingo.foundation.errors import ConfigError, nearest

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "accuracy": Accuracy(),
        "accuracy:any-case": Accuracy(ignore_case=True),
        "cider": Cider(),
        "cider:java": Cider(tokenizer="java"),
        "ivqa-accuracy": IvqaAccuracy(),
        "multiple-choice-by-type": MultipleChoiceByType(),
        "mwap": Mwap(),
        "ndcg": Ndcg(),
        "okvqa-accuracy": OkvqaAccuracy(),
        "okvqa-accuracy:nltk": OkvqaAccuracy(stemmer="nltk"),
        "roc-auc": RocAuc(),
        "top-1": TopK(),
        "top-5": TopK((5,)),
        "top-1-5": TopK((1, 5)),
        "vqa-accuracy": VqaAccuracy(),
        "vqa-accuracy:official": VqaAccuracy("official"),
        "vqa-accuracy:open-flamingo": VqaAccuracy("open-flamingo"),
        "vqa-accuracy:mmf": VqaAccuracy("mmf"),
        "wups": Wups(),
        "wups:0.9": Wups(threshold=0.9),
        "wups:morphy": Wups(lemmas="morphy"),
        "wups:morphy-0.9": Wups(threshold=0.9, lemmas="morphy"),
    }
)
"""After a colon stands a way of computing the metric, other than the usual one."""


def metric_named(name: str) -> Metric:
    """The metric of this name; "accuracy", "cider", "vqa-accuracy:official" and more.

    Raises:
        ConfigError: there is no such metric; the message lists all.
    """
    if name not in METRICS:
        raise ConfigError(f"there is no metric {name!r}. {nearest(name, METRICS)}")
    return METRICS[name]


def check_metric(name: str) -> None:
    """Tells before a long evaluation what its score would fail for.

    Raises:
        ConfigError: there is no such metric, or it needs a package or data that is not installed.
    """
    metric_named(name).each(())
