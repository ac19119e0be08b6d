"""Finding the caption of a picture among many, and the picture of a caption."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from flamingo.evaluation.two_towers import TwoTowers
from flamingo.foundation.errors import DataError
from flamingo.sequence import Visual

RANKS = (1, 5, 10)

TIE = 1e-6
"""Cosines that are nearer to each other than this are equal: rounding alone makes such gaps."""


@dataclass(frozen=True)
class RetrievalScores:
    """Recall at several ranks, in percent: how often what is sought is among the first.

    Args:
        image_to_text: by rank; any caption of the picture counts.
        text_to_image: by rank.
        num_images: pictures searched.
        num_texts: captions searched.
    """

    image_to_text: dict[int, float]
    text_to_image: dict[int, float]
    num_images: int
    num_texts: int


def retrieve(towers: TwoTowers, pairs: Iterable[tuple[Visual, str]]) -> RetrievalScores:
    """Embeds pictures and captions and scores both directions; see `retrieval`.

    Args:
        towers: the model.
        pairs: a picture with a caption; where the same pixels come again, with another caption,
            they are the same picture. May be made one by one.

    Raises:
        DataError: there is no pair.
    """
    numbers: dict[str, int] = {}
    texts: list[str] = []
    owners: list[int] = []

    def new_pictures() -> Iterator[Visual]:
        for visual, text in pairs:
            key, is_new = visual.fingerprint(), len(numbers)
            owners.append(numbers.setdefault(key, is_new))
            texts.append(text)
            if owners[-1] == is_new:
                yield visual

    embedded = towers.visuals(new_pictures())
    return retrieval(embedded, towers.texts(texts), owners)


def retrieval(
    image_embeddings: Float[Tensor, "images dim"],
    text_embeddings: Float[Tensor, "texts dim"],
    owners: Sequence[int],
    *,
    ranks: Sequence[int] = RANKS,
    rows_at_once: int = 1024,
) -> RetrievalScores:
    """R@1, R@5 and R@10 of pictures and captions, compared by the cosine, over all of them.

    Ties count against the model: what is sought ranks behind everything wrong that fits as
    well. So one that finds all pairs equally good finds none, whatever the order of the data.

    Args:
        image_embeddings: of all pictures.
        text_embeddings: of all captions.
        owners: for each caption, the picture that it belongs to.
        ranks: at which to count.
        rows_at_once: rows compared with everything in one go; for memory only.

    Raises:
        DataError: numbers do not fit together, a picture has no caption, or an embedding is not
            finite.

    Paper: App. B.1.3 (zero-shot retrieval on Flickr30k and COCO).
    """
    images, texts = unit_rows(image_embeddings, "image"), unit_rows(text_embeddings, "text")
    owner = _checked_owners(owners, len(images), len(texts)).to(images.device)
    all_images = torch.arange(len(images), device=images.device)
    caption_ranks = _ranks(images, texts, all_images, owner, rows_at_once)
    image_ranks = _ranks(texts, images, owner, all_images, rows_at_once)
    return RetrievalScores(
        image_to_text=recall(caption_ranks, ranks),
        text_to_image=recall(image_ranks, ranks),
        num_images=len(images),
        num_texts=len(texts),
    )


def recall(positions: Int[Tensor, " queries"], ranks: Sequence[int]) -> dict[int, float]:
    """Percent of queries whose answer stands at one of the first `rank` positions (from 0)."""
    return {rank: 100 * float((positions < rank).double().mean()) for rank in ranks}


def unit_rows(rows: Float[Tensor, "rows dim"], what: str) -> Float[Tensor, "rows dim"]:
    """Embeddings with length 1.

    Raises:
        DataError: there is none, or one is not finite: it would pass every comparison.
    """
    if not len(rows):
        raise DataError(f"There are no {what} embeddings to compare.")
    is_finite = rows.isfinite().all(dim=1)
    if not is_finite.all():
        first = int(is_finite.long().argmin())
        raise DataError(
            f"The {what} embedding number {first} is not finite, and {int((~is_finite).sum())} of "
            f"{len(rows)} are not.\nThe model is broken or was run in a too narrow number format."
        )
    return F.normalize(rows.float(), dim=-1)


def _ranks(
    queries: Tensor, items: Tensor, key_of_query: Tensor, key_of_item: Tensor, rows_at_once: int
) -> Tensor:
    """How many wrong items fit each query at least as well as its best right one."""
    positions = []
    for rows, keys in zip(
        queries.split(rows_at_once), key_of_query.split(rows_at_once), strict=True
    ):
        cosine = rows @ items.T
        is_right = keys[:, None] == key_of_item[None, :]
        best = cosine.masked_fill(~is_right, -torch.inf).amax(dim=1, keepdim=True)
        positions.append(((cosine >= best - TIE) & ~is_right).sum(dim=1))
    return torch.cat(positions)


def _checked_owners(owners: Sequence[int], num_images: int, num_texts: int) -> Tensor:
    if len(owners) != num_texts:
        raise DataError(
            f"{num_texts} captions were given, but owners for {len(owners)}.\n"
            f"`owners` holds for each caption the number of its picture."
        )
    owner = torch.tensor(owners, dtype=torch.int64)
    if int(owner.min()) < 0 or int(owner.max()) >= num_images:
        wrong = next(number for number in owners if not 0 <= number < num_images)
        raise DataError(
            f"A caption belongs to picture {wrong}, but the {num_images} pictures "
            f"have the numbers 0 to {num_images - 1}."
        )
    has_caption = torch.bincount(owner, minlength=num_images) > 0
    if not has_caption.all():
        raise DataError(
            f"{int((~has_caption).sum())} of {num_images} pictures have no caption; the first "
            f"is number {int(has_caption.long().argmin())}. Nothing could ever be found for them: "
            f"leave them out."
        )
    return owner
