from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from flamingo.evaluation.retrieval import RANKS, retrieval, retrieve
from flamingo.foundation.errors import DataError
from flamingo.sequence import Visual


def by_sorting(images: Tensor, texts: Tensor, owners: list[int], rank: int) -> tuple[float, float]:
    """Recall as one would do it by hand, where no two scores are equal."""
    cosine = torch.nn.functional.cosine_similarity(images[:, None], texts[None], dim=-1)
    found_text = [
        any(owners[text] == image for text in row.argsort(descending=True)[:rank].tolist())
        for image, row in enumerate(cosine)
    ]
    found_image = [
        owners[text] in column.argsort(descending=True)[:rank].tolist()
        for text, column in enumerate(cosine.T)
    ]
    return 100 * float(np.mean(found_text)), 100 * float(np.mean(found_image))


@pytest.mark.parametrize("rows_at_once", [3, 1024])
def test_recall_is_that_of_a_sorted_list(rows_at_once: int) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(20, 6, generator=generator)
    owners = [image for image in range(20) for _ in range(1 + image % 5)]
    texts = images[owners] + 1.2 * torch.randn(len(owners), 6, generator=generator)
    scores = retrieval(images * 3, texts, owners, rows_at_once=rows_at_once)
    for rank in RANKS:
        expected = by_sorting(images, texts, owners, rank)
        assert scores.image_to_text[rank] == pytest.approx(expected[0])
        assert scores.text_to_image[rank] == pytest.approx(expected[1])
    assert 0 < scores.text_to_image[1] < scores.text_to_image[5] < 100
    assert (scores.num_images, scores.num_texts) == (20, len(owners))


def test_any_of_several_captions_is_a_hit() -> None:
    images = torch.eye(2)
    texts = torch.tensor([[-1.0, 0.0], [1.0, 0.1], [0.1, 1.0]])
    scores = retrieval(images, texts, [0, 0, 1])
    assert scores.image_to_text[1] == 100.0
    assert scores.text_to_image[1] == pytest.approx(200 / 3)


@pytest.mark.parametrize("noise", [0.0, 1e-8])
def test_a_model_that_tells_nothing_apart_finds_nothing(noise: float) -> None:
    generator = torch.Generator().manual_seed(0)
    same = torch.ones(12, 4) + noise * torch.randn(12, 4, generator=generator)
    scores = retrieval(same, same.clone(), list(range(12)))
    assert scores.image_to_text == scores.text_to_image == {1: 0.0, 5: 0.0, 10: 0.0}


def test_a_picture_that_is_there_twice_is_not_found_by_luck() -> None:
    images = torch.eye(3)[[0, 0, 1]]
    scores = retrieval(images, images.clone(), [0, 1, 2], ranks=(1, 2))
    assert scores.text_to_image == {1: pytest.approx(100 / 3), 2: 100.0}


@pytest.mark.parametrize(
    ("num_texts", "owners", "message"),
    [
        (3, [0, 1], "3 captions were given, but owners for 2"),
        (2, [0, 2], "belongs to picture 2, but the 2 pictures"),
        (2, [0, -1], "belongs to picture -1"),
        (2, [0, 0], "1 of 2 pictures have no caption; the first is number 1"),
        (0, [], "no text embeddings"),
    ],
)
def test_what_does_not_fit_together_is_named(
    num_texts: int, owners: list[int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        retrieval(torch.eye(2), torch.ones(num_texts, 2), owners)


def test_an_embedding_that_is_not_finite_is_refused() -> None:
    texts = torch.eye(3)
    texts[1, 0] = float("nan")
    with pytest.raises(DataError, match="text embedding number 1 is not finite"):
        retrieval(torch.eye(3), texts, [0, 1, 2])


class Places:
    """Puts a picture where its first pixel says, and a text where its first digit says."""

    def visuals(self, visuals: Iterable[Visual]) -> Tensor:
        return torch.eye(10)[[int(visual.frames[0, 0, 0, 0]) for visual in visuals]]

    def texts(self, texts: Sequence[str]) -> Tensor:
        return torch.eye(10)[[int(text[0]) for text in texts]]


def test_a_picture_with_several_captions_is_searched_once() -> None:
    pictures = [Visual(np.full((1, 2, 2, 3), number, np.uint8)) for number in range(3)]
    again = Visual(pictures[0].frames.copy())
    pairs = [(pictures[0], "0 a"), (pictures[1], "1 b"), (again, "5 c"), (pictures[2], "1 d")]
    scores = retrieve(Places(), iter(pairs))
    # Picture 1 has a wrong caption that fits as well as its own; 2 has none that fits.
    assert scores.image_to_text[1] == pytest.approx(100 / 3)
    assert (scores.num_images, scores.num_texts) == (3, 4)


def test_no_pair_at_all_is_an_error() -> None:
    with pytest.raises(DataError, match="There are no image embeddings"):
        retrieve(Nothing(), [])


class Nothing:
    def visuals(self, visuals: Iterable[Visual]) -> Tensor:
        return torch.zeros(len(list(visuals)), 10)

    def texts(self, texts: Sequence[str]) -> Tensor:
        return torch.zeros(len(texts), 10)
