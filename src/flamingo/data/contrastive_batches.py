"""Pictures with their captions, from a data set on disk to batches for two towers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from torch import Tensor

from flamingo.data.batching import Batch
from flamingo.data.captions import CaptionTokenizer
from flamingo.data.datasets import (
    BrokenSample,
    DatasetConfig,
    DatasetSource,
    RawSample,
    Store,
    open_store,
)
from flamingo.data.datasets.annotations import annotation_of
from flamingo.data.datasets.draws import Draws
from flamingo.data.datasets.media import IMAGES, VisualReader, only_media
from flamingo.data.encoding import Encoded
from flamingo.data.features import VisualFeatures
from flamingo.data.skipping import Drawn, Skipped
from flamingo.data.transforms import VisualTransform
from flamingo.foundation.errors import ConfigError
from flamingo.foundation.sharing import EVERYTHING, Share
from flamingo.sequence import Visual

_ENDINGS = (*IMAGES, "txt", "json")


@dataclass(frozen=True)
class CaptionedPictures:
    """Makes a picture and its caption of a sample; a prompt that stands before it is left out.

    Args:
        captions: turns captions into token ids.
        read_visual: decodes pictures.
    """

    captions: CaptionTokenizer
    read_visual: VisualReader

    def __call__(self, raw: RawSample, draws: Draws) -> Encoded:
        """The caption's tokens with the picture, which all of them belong to.

        Raises:
            BrokenSample: caption or picture cannot be used.
        """
        visual, text = picture_and_caption(raw, self.read_visual, draws)
        [ids] = self.captions.rows([text])
        if not ids:
            raise BrokenSample("the tokenizer makes no token of the text")
        return Encoded(ids, [1] * len(ids), (visual,), [1.0] * len(ids))


@dataclass(frozen=True)
class ContrastivePairs:
    """A data set as batches of `pixels`, `token_ids` and `token_mask`, a function of the step.

    Args:
        pairs: the same rows as sequences; it decides their order and replaces broken ones.
    """

    pairs: DatasetSource

    @property
    def name(self) -> str:
        """How reports call it."""
        return self.pairs.name

    @property
    def weight(self) -> float:
        """The paper's λ."""
        return self.pairs.weight

    @property
    def size(self) -> int:
        """Rows of a whole batch."""
        return self.pairs.size

    @property
    def num_samples(self) -> int:
        """How many samples there are, broken ones included."""
        return self.pairs.num_samples

    @property
    def fingerprint(self) -> str:
        """Depends on the samples' number and names."""
        return self.pairs.fingerprint

    def batch(self, step: int) -> Drawn:
        """The batch of one step, and which samples were passed over."""
        return self.share_of_batch(step, EVERYTHING)

    def share_of_batch(self, step: int, share: Share) -> Drawn:
        """Some rows of the batch of one step: all shares in order are the whole batch.

        Raises:
            ConfigError: there are fewer rows than shares.
            DataError: a shard is gone, or nearly all samples are broken.
        """
        drawn = self.pairs.share_of_batch(step, share)
        return replace(drawn, batch=_for_towers(drawn.batch))


def build_contrastive_pairs(
    name: str,
    config: DatasetConfig,
    captions: CaptionTokenizer,
    transform: Callable[[Visual], Tensor],
) -> ContrastivePairs:
    """Opens a data set of pairs for contrastive training.

    Args:
        name: how reports call it, and which random numbers it has.
        config: where it is; of its settings for text, only `max_tokens` counts.
        captions: turns captions into token ids.
        transform: from a picture to its normalized pixels.

    Raises:
        ConfigError: it is not of kind "pairs", or its captions are longer than the text tower.
        DataError: there is nothing, it is of another kind, or too many shards are gone.
    """
    store = _opened(name, config)
    reader = VisualReader(
        flip_probability=config.flip,
        color_jitter=config.color_jitter,
        size=transform.size if isinstance(transform, VisualTransform) else None,
    )
    limited = CaptionTokenizer(captions.tokenizer, _limit(name, config, captions.max_tokens))
    return ContrastivePairs(
        DatasetSource(
            name=name,
            weight=config.weight,
            size=config.batch,
            store=store,
            make=CaptionedPictures(limited, reader),
            transform=transform,
            pad_id=captions.pad_id,
            seed=config.seed,
            shuffle=config.shuffle,
        )
    )


def stored_pairs(
    name: str, config: DatasetConfig, skipped: list[Skipped]
) -> Iterator[tuple[Visual, str]]:
    """Every picture with its caption, once, in stored order and unchanged; to evaluate on.

    Args:
        name: how errors call the data set.
        config: where it is.
        skipped: samples that cannot be used are added here.

    Raises:
        ConfigError: it is not of kind "pairs".
        DataError: there is nothing, it is of another kind, or too many shards are gone.
    """
    store, read_visual = _opened(name, config), VisualReader()
    for number in range(len(store)):
        try:
            raw = store[number]
        except BrokenSample as error:
            skipped.append(Skipped(error.where, error.reason))
            continue
        try:
            pair = picture_and_caption(raw, read_visual, lambda purpose: None)
        except BrokenSample as error:
            skipped.append(Skipped(raw.where, error.reason))
            continue
        yield pair


def picture_and_caption(
    raw: RawSample, read_visual: VisualReader, draws: Draws
) -> tuple[Visual, str]:
    """What a sample shows, and what is said about it.

    Raises:
        BrokenSample: one of them is missing or damaged, or there are only features of it.
    """
    annotation = annotation_of(raw, media_field="image")
    name = only_media(raw, IMAGES, named=annotation.media)
    visual = read_visual(raw, name, draws("visual"))
    if isinstance(visual, VisualFeatures):
        raise BrokenSample("it has precomputed features, but no picture for an encoder to see")
    return visual, annotation.text


def _opened(name: str, config: DatasetConfig) -> Store:
    if config.kind != "pairs":
        raise ConfigError(
            f"The data set {name!r} is of kind {config.kind!r}, but pictures are matched with "
            f"captions. Use data sets of kind pairs."
        )
    return open_store(config.path, endings=_ENDINGS, missing_shards=config.missing_shards)


def _limit(name: str, config: DatasetConfig, most: int) -> int:
    if config.max_tokens is not None and config.max_tokens > most:
        raise ConfigError(
            f"The data set {name!r} asks for captions of {config.max_tokens} tokens, but the text "
            f"tower reads {most}. Lower its max_tokens, or build a longer tower."
        )
    return min(config.token_limit, most)


def _for_towers(batch: Batch) -> dict[str, Tensor]:
    assert batch.pixel_values is not None
    return {
        "pixels": batch.pixel_values[:, 0, 0],
        "token_ids": batch.input_ids,
        "token_mask": batch.attention_mask,
    }
