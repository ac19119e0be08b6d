"""Classes by their names: a picture belongs to the class whose description fits it best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from flamingo.evaluation.retrieval import TIE, recall, unit_rows
from flamingo.evaluation.two_towers import TwoTowers
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.sequence import Visual

PLACEHOLDER = "{class}"


@dataclass(frozen=True)
class ClassificationScores:
    """Accuracy in percent.

    Args:
        top_1: the right class fits best.
        top_5: the right class is among the five that fit best.
        num_visuals: how many were classified.
    """

    top_1: float
    top_5: float
    num_visuals: int

    @property
    def average(self) -> float:
        """The mean of both, which is the custom on Kinetics."""
        return (self.top_1 + self.top_5) / 2


def zero_shot_classification(
    towers: TwoTowers,
    visuals: Iterable[Visual],
    labels: Sequence[int],
    *,
    class_names: Sequence[str],
    templates: Sequence[str],
) -> ClassificationScores:
    """Classifies images or videos with a contrastively trained model that never saw the classes.

    Args:
        towers: the model.
        visuals: what to classify; may be made one by one.
        labels: the number of the right class of each.
        class_names: how each class is called.
        templates: texts with `{class}` in them, such as "A photo of a {class}".

    Raises:
        ConfigError: a template has no place for the class, or there is none.
        DataError: numbers do not fit together.

    Paper: App. B.1.3 (ImageNet by top-1, Kinetics700 by the average of top-1 and top-5).
    """
    classes = class_embeddings(towers, class_names, templates)
    return classification_scores(towers.visuals(visuals), classes, labels)


def class_embeddings(
    towers: TwoTowers, class_names: Sequence[str], templates: Sequence[str]
) -> Float[Tensor, "classes dim"]:
    """Where each class lies: the mean of its name in every template, at distance 1.

    Raises:
        ConfigError: a template has no place for the class, or there is none.

    Paper: App. B.1.3 (prompt ensembling).
    """
    if not class_names or not templates:
        raise ConfigError(
            f"{len(class_names)} class names and {len(templates)} templates were given; "
            f"at least one of each is needed."
        )
    for template in templates:
        if PLACEHOLDER not in template:
            raise ConfigError(
                f"The template {template!r} has no place for the class. "
                f"Write {PLACEHOLDER} where its name belongs, as in 'A photo of a {PLACEHOLDER}'."
            )
    texts = [template.replace(PLACEHOLDER, name) for name in class_names for template in templates]
    embedded = F.normalize(towers.texts(texts).float(), dim=-1)
    means = embedded.unflatten(0, (len(class_names), len(templates))).mean(dim=1)
    return F.normalize(means, dim=-1)


def classification_scores(
    visual_embeddings: Float[Tensor, "visuals dim"],
    classes: Float[Tensor, "classes dim"],
    labels: Sequence[int],
) -> ClassificationScores:
    """Top-1 and top-5 accuracy; a class that fits as well as the right one stands before it.

    Raises:
        DataError: there is not one label per embedding, a label is not the number of a class,
            or an embedding is not finite.
    """
    visuals, names = unit_rows(visual_embeddings, "visual"), unit_rows(classes, "class")
    if len(labels) != len(visuals):
        raise DataError(f"{len(visuals)} visuals were given, but {len(labels)} labels.")
    wrong = next((label for label in labels if not 0 <= label < len(names)), None)
    if wrong is not None:
        raise DataError(
            f"A label is {wrong}, but the {len(names)} classes have the numbers "
            f"0 to {len(names) - 1}."
        )
    right = torch.tensor(labels, dtype=torch.int64, device=visuals.device)[:, None]
    cosine = visuals @ names.T
    is_better = cosine >= cosine.gather(1, right) - TIE
    positions = is_better.scatter(1, right, False).sum(dim=1)
    found = recall(positions, (1, 5))
    return ClassificationScores(found[1], found[5], len(visuals))
