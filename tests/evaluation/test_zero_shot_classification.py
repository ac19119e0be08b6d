from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from flamingo.evaluation.zero_shot_classification import (
    class_embeddings,
    classification_scores,
    zero_shot_classification,
)
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.sequence import Visual

PLACES = {
    "a cat": [3.0, 0.0, 0.0],
    "one cat": [0.0, 0.0, 1.0],
    "a dog": [0.0, 1.0, 0.0],
    "one dog": [0.0, 1.0, 0.0],
}


class Places:
    """Texts at given places; pictures by the color of their first pixel."""

    def visuals(self, visuals: Iterable[Visual]) -> Tensor:
        return torch.stack(
            [torch.tensor(visual.frames[0, 0, 0].astype(np.float32)) for visual in visuals]
        )

    def texts(self, texts: Sequence[str]) -> Tensor:
        return torch.tensor([PLACES[text] for text in texts])


def test_a_class_lies_at_the_mean_of_its_templates_however_long_these_are() -> None:
    classes = class_embeddings(Places(), ["cat", "dog"], ["a {class}", "one {class}"])
    half = 2**-0.5
    assert torch.allclose(classes, torch.tensor([[half, 0.0, half], [0.0, 1.0, 0.0]]))


def test_visuals_are_classified_by_the_names_of_the_classes() -> None:
    colors = [(200, 0, 0), (0, 90, 10), (0, 0, 50), (0, 255, 0)]
    visuals = (Visual(np.full((1, 2, 2, 3), color, np.uint8)) for color in colors)
    scores = zero_shot_classification(
        Places(),
        visuals,
        [0, 1, 0, 0],
        class_names=["cat", "dog"],
        templates=["a {class}", "one {class}"],
    )
    assert scores.top_1 == 75.0
    assert scores.top_5 == 100.0
    assert scores.average == 87.5
    assert scores.num_visuals == 4


def test_accuracies_are_those_of_a_sorted_list() -> None:
    generator = torch.Generator().manual_seed(0)
    classes = torch.randn(20, 8, generator=generator)
    labels = torch.randint(0, 20, (60,), generator=generator)
    visuals = classes[labels] + torch.randn(60, 8, generator=generator)
    order = F.cosine_similarity(visuals[:, None], classes[None], dim=-1).argsort(descending=True)
    is_found = order == labels[:, None]
    scores = classification_scores(visuals, classes, labels.tolist())
    assert scores.top_1 == pytest.approx(100 * float(is_found[:, 0].float().mean()))
    assert scores.top_5 == pytest.approx(100 * float(is_found[:, :5].any(1).float().mean()))
    assert 0 < scores.top_1 < scores.top_5 < 100


def test_two_classes_that_fit_alike_are_both_wrong() -> None:
    scores = classification_scores(torch.ones(2, 3), torch.ones(6, 3), [0, 5])
    assert (scores.top_1, scores.top_5) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0], "2 visuals were given, but 1 labels"),
        ([0, 3], "A label is 3, but the 3 classes"),
        ([-1, 0], "A label is -1"),
    ],
)
def test_labels_that_do_not_fit_are_named(labels: list[int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        classification_scores(torch.ones(2, 3), torch.eye(3), labels)


def test_a_template_needs_a_place_for_the_class() -> None:
    with pytest.raises(ConfigError, match=r"'a photo' has no place for the class"):
        class_embeddings(Places(), ["cat"], ["a {class}", "a photo"])
    with pytest.raises(ConfigError, match="1 class names and 0 templates"):
        class_embeddings(Places(), ["cat"], [])
