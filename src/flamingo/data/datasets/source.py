"""A data set on disk as a function of the step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from torch import Tensor

from flamingo.data.batching import collate
from flamingo.data.datasets.config import DatasetConfig
from flamingo.data.datasets.draws import Draws
from flamingo.data.datasets.media import FEATURES, IMAGES, VIDEOS, VideoFrames, VisualReader
from flamingo.data.datasets.order import Permutation
from flamingo.data.datasets.pages import PageMaker
from flamingo.data.datasets.pairs import PairMaker
from flamingo.data.datasets.raw_samples import BrokenSample, RawSample, Store
from flamingo.data.datasets.stores import open_store
from flamingo.data.datasets.texts import TextMaker
from flamingo.data.encoding import Encoded, Encoder
from flamingo.data.skipping import Drawn, Skipped
from flamingo.data.transforms import VisualTransform
from flamingo.foundation.errors import ConfigError, DataError, SequenceError, reason
from flamingo.foundation.randomness import generator, seed_of
from flamingo.foundation.sharing import EVERYTHING, Share
from flamingo.sequence import Visual
from flamingo.sequence.interleaved import counted

Maker = Callable[[RawSample, Draws], Encoded]
"""Makes a sequence of a sample, with the draws that belong to its place in the run."""

MAX_ATTEMPTS = 100
"""After so many broken samples in a row for one place in a batch, the data set is at fault."""
_NUM_REASONS = 5
_TEXT_ENDINGS = ("txt", "json")


@dataclass(frozen=True)
class DatasetSource:
    """Batches of a data set; the same step always gives the same batch, in whatever process.

    The run's sample number n = step · batch + row is the sample at position n mod N of epoch
    n div N, each epoch being a permutation of all N samples. A broken sample is replaced by one
    drawn for this n alone, so no row depends on another.

    Args:
        name: how reports call it.
        weight: the paper's λ.
        size: rows of a whole batch.
        store: the samples.
        make: makes a sequence of a sample.
        transform: from a visual to its normalized frames.
        pad_id: the token that fills up rows.
        seed: decides all draws, together with the step.
        shuffle: whether the order is random and samples are augmented.
    """

    name: str
    weight: float
    size: int
    store: Store = field(repr=False)
    make: Maker = field(repr=False)
    transform: Callable[[Visual], Tensor] = field(repr=False)
    pad_id: int
    seed: int
    shuffle: bool

    @property
    def num_samples(self) -> int:
        """How many samples there are, broken ones included."""
        return len(self.store)

    @property
    def fingerprint(self) -> str:
        """Depends on the samples' number and names: with another one, a resumed run differs."""
        return self.store.fingerprint

    @property
    def missing(self) -> tuple[str, ...]:
        """The shards that were left out because they are gone."""
        return self.store.missing

    def describe(self) -> str:
        """What there is, in one line."""
        there = f"{self.name}: {self.num_samples:,} samples"
        if not self.missing:
            return there
        return f"{there}, {counted(len(self.missing), 'shard')} gone: {', '.join(self.missing)}"

    def batch(self, step: int) -> Drawn:
        """The batch of one step, and which samples were passed over."""
        return self.share_of_batch(step, EVERYTHING)

    def share_of_batch(self, step: int, share: Share) -> Drawn:
        """Some rows of the batch of one step: all shares in order are the whole batch.

        Raises:
            ConfigError: there are fewer rows than shares.
            DataError: a shard is gone, or nearly all samples are broken.
        """
        rows = share.rows(self.size)
        if not rows:
            raise ConfigError(
                f"{self.name}: a batch of {self.size} cannot be shared by {share.count} processes."
                f"\nSet batch to at least {share.count}."
            )
        skipped: list[Skipped] = []
        sequences = [self._sequence(step * self.size + row, skipped) for row in rows]
        return Drawn(collate(sequences, self.transform, self.pad_id), tuple(skipped))

    def _sequence(self, n: int, skipped: list[Skipped]) -> Encoded:
        """The sequence of the run's sample number `n`; broken samples before it are noted."""
        failed: list[Skipped] = []
        for attempt in range(MAX_ATTEMPTS):
            made = self._attempt(n, attempt)
            if isinstance(made, Encoded):
                skipped += failed
                return made
            failed.append(made)
        reasons = "\n".join(f"  {one.sample}: {one.reason}" for one in failed[:_NUM_REASONS])
        raise DataError(
            f"{self.name}: {MAX_ATTEMPTS} samples drawn one after the other cannot be used. "
            f"The first of them:\n{reasons}\n"
            "So many at once are no accident: check the data set, and the `kind` it is read as."
        )

    def _attempt(self, n: int, attempt: int) -> Encoded | Skipped:
        try:
            raw = self.store[self._number(n, attempt)]
        except BrokenSample as error:
            return Skipped(error.where, error.reason)
        try:
            return self.make(raw, partial(self._draw, n, attempt))
        except BrokenSample as error:
            return Skipped(raw.where, error.reason)
        except SequenceError as error:
            return Skipped(raw.where, reason(error))

    def _number(self, n: int, attempt: int) -> int:
        if attempt:
            return seed_of("replacement", self.name, self.seed, n, attempt) % len(self.store)
        epoch, position = divmod(n, len(self.store))
        if not self.shuffle:
            return position
        return Permutation(len(self.store), "order", self.name, self.seed, epoch)[position]

    def _draw(self, n: int, attempt: int, purpose: str) -> np.random.Generator | None:
        if not self.shuffle:
            return None
        return generator("sample", self.name, self.seed, n, attempt, purpose)


def build_dataset(
    name: str,
    config: DatasetConfig,
    encoder: Encoder,
    transform: Callable[[Visual], Tensor],
    *,
    pad_id: int,
) -> DatasetSource:
    """Opens a data set; the layouts of its shards are read, or found by scanning them once.

    Args:
        name: how reports call it, and which random numbers it has.
        config: where it is, and how sequences are made of it.
        encoder: turns documents into token ids; its own limit of tokens is not used.
        transform: from a visual to its normalized frames.
        pad_id: the token that fills up rows.

    Raises:
        DataError: there is nothing, it is of another kind, or too many shards are gone.
    """
    unlimited = Encoder(encoder.prepared)
    make, endings = _maker(config, unlimited, transform)
    return DatasetSource(
        name=name,
        weight=config.weight,
        size=config.batch,
        store=open_store(config.path, endings=endings, missing_shards=config.missing_shards),
        make=make,
        transform=transform,
        pad_id=pad_id,
        seed=config.seed,
        shuffle=config.shuffle,
    )


def _maker(
    config: DatasetConfig, encoder: Encoder, transform: Callable[[Visual], Tensor]
) -> tuple[Maker, tuple[str, ...]]:
    """What makes sequences of this kind, and the endings of the files that a folder has of it."""
    if config.kind == "text":
        return TextMaker(encoder, config.token_limit), _TEXT_ENDINGS
    is_video = config.kind == "videos"
    read_visual = VisualReader(
        video_frames=VideoFrames(config.num_frames, config.fps) if is_video else None,
        flip_probability=config.flip,
        color_jitter=config.color_jitter,
        # Of a square that is cut out, the longest side may be longer.
        size=transform.size
        if isinstance(transform, VisualTransform) and transform.fit == "pad"
        else None,
    )
    if config.kind == "pages":
        pages = PageMaker(
            encoder, read_visual, config.token_limit, config.max_visuals, config.p_next
        )
        return pages, ("json",)
    endings = (*(VIDEOS if is_video else IMAGES), FEATURES)
    pairs = PairMaker(
        encoder,
        read_visual,
        endings=endings,
        media_field="video" if is_video else "image",
        max_tokens=config.token_limit,
        space_probability=config.space_probability,
        learn_prompt=config.learn_prompt,
    )
    return pairs, (*endings, *_TEXT_ENDINGS)
