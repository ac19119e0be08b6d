"""Batches of pages, pairs, clips and questions, on which the miniature Flamingo is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from torch import Tensor

from flamingo.data.augmentations import prepend_space
from flamingo.data.batching import Batch, collate
from flamingo.data.encoding import Encoded, Encoder
from flamingo.foundation.randomness import generator
from flamingo.miniature.captions import long_caption, short_caption
from flamingo.miniature.documents import as_interleaved, draw
from flamingo.miniature.episode import Episode
from flamingo.miniature.episodes import clip_episode, written_question
from flamingo.miniature.kinds import PAGES, Kinds, training_episode
from flamingo.miniature.looks import any_scene, any_sign, interchangeable, single
from flamingo.miniature.questions import ATTRIBUTES, ask
from flamingo.miniature.scene import Clip, Scene, Succession
from flamingo.sequence import Interleaved, Visual, draw_sees

MAX_VISUALS = 5
"""Visuals of one training sequence at most; few-shot prompts have many more."""

_ASKED = (0.35, 0.35, 0.15, 0.15)
"""How often `Questions` ask for each of `ATTRIBUTES`."""


@dataclass(frozen=True)
class DrawnSource:
    """Drawn sequences of one kind; a batch is a function of seed and step.

    Args:
        name: how the source is called in reports, and which random numbers it has.
        weight: the paper's λ of this source.
        seed: decides all draws, together with the step.
        batch_size: sequences per batch.
        encode: makes one sequence from a generator.
        transform: from a visual to its normalized frames.
        pad_id: the token that fills up rows.
        unknown_id: a token that the language model never read in its own training, `<EOS>`: its
            frozen row is still random, so no loss is taken on it. Answers end in `<EOC>`.
    """

    name: str
    weight: float
    seed: int
    batch_size: int
    encode: Callable[[np.random.Generator], Encoded] = field(repr=False)
    transform: Callable[[Visual], Tensor] = field(repr=False)
    pad_id: int
    unknown_id: int

    def batch(self, step: int) -> Batch:
        """The batch of one step, always the same for the same step."""
        sequences = [
            self._without_unknown(self.encode(generator("drawn", self.name, self.seed, step, row)))
            for row in range(self.batch_size)
        ]
        return collate(sequences, self.transform, self.pad_id)

    def _without_unknown(self, encoded: Encoded) -> Encoded:
        pairs = zip(encoded.token_ids, encoded.loss_weights, strict=True)
        weights = [0.0 if token == self.unknown_id else weight for token, weight in pairs]
        return replace(encoded, loss_weights=weights)


@dataclass(frozen=True)
class Pages:
    """Interleaved pages of every kind of episode, with five images each.

    Args:
        encoder: turns documents into token ids.
        next_share: share of pages whose text looks at the visual after it (the paper's p_next).
        kinds: episodes, with their shares.

    Paper: Sec. 2.4, App. A.3.
    """

    encoder: Encoder
    next_share: float = 0.0
    kinds: Kinds = field(default_factory=lambda: PAGES)

    def __call__(self, rng: np.random.Generator) -> Encoded:
        """One page."""
        sees = draw_sees(rng, self.next_share)
        return self.encoder(as_interleaved(self._episode(rng), rng), is_complete=True, sees=sees)

    def _episode(self, rng: np.random.Generator) -> Episode:
        while True:
            seed, index = (int(number) for number in rng.integers(2**40, size=2))
            episode = training_episode(seed, index, MAX_VISUALS, kinds=self.kinds)
            # One clip among the images would fill up the whole batch to eight frames.
            if not any(isinstance(turn.look, Clip | Succession) for turn in episode.turns):
                return episode


@dataclass(frozen=True)
class Pairs:
    """One picture with its caption, short or long.

    Args:
        encoder: turns documents into token ids.
        long_share: share of long captions.
        sign_share: share of signs; the others are scenes.
        space_share: share of captions that begin with a space.
    """

    encoder: Encoder
    long_share: float = 0.5
    sign_share: float = 0.25
    space_share: float = 0.5

    def __call__(self, rng: np.random.Generator) -> Encoded:
        """One pair."""
        is_sign = rng.random() < self.sign_share
        look = any_sign(rng) if is_sign else any_scene(rng, interchangeable)
        caption = long_caption(look) if rng.random() < self.long_share else short_caption(look)
        pair = Interleaved.of(draw(look, rng), caption)
        return self.encoder(
            prepend_space(pair, rng, probability=self.space_share), is_complete=True
        )


@dataclass(frozen=True)
class Questions:
    """One picture of two or three things, and a question about one of them.

    Which thing has what can only be learned where several are, and few of a page's questions ask
    for that.

    Args:
        encoder: turns documents into token ids.
    """

    encoder: Encoder

    def __call__(self, rng: np.random.Generator) -> Encoded:
        """One picture with its question and answer."""
        scene = interchangeable(rng, int(rng.integers(2, 4)))
        topic = tuple(ATTRIBUTES)[rng.choice(len(ATTRIBUTES), p=_ASKED)]
        text = written_question(rng, *ask(rng, scene, topic))
        return self.encoder(Interleaved.of(draw(scene, rng), text), is_complete=True)


@dataclass(frozen=True)
class Clips:
    """Clips of eight frames with their captions, one or a few in a row.

    Args:
        encoder: turns documents into token ids.
        most: clips in a sequence; a uniform draw up to this.
        space_share: share of texts that begin with a space.
    """

    encoder: Encoder
    most: int = 3
    space_share: float = 0.5

    def __call__(self, rng: np.random.Generator) -> Encoded:
        """One sequence."""
        pair = as_interleaved(clip_episode(rng, int(rng.integers(1, self.most + 1))), rng)
        return self.encoder(
            prepend_space(pair, rng, probability=self.space_share), is_complete=True
        )


@dataclass(frozen=True)
class Alignment:
    """One thing and its color and shape: the shortest way to a bridge that sees.

    Args:
        encoder: turns documents into token ids.
        two_share: of pictures with two things instead, captioned or asked about. A bridge that
            has long seen single things never learns which of several has what.
    """

    encoder: Encoder
    two_share: float = 0.0

    def __call__(self, rng: np.random.Generator) -> Encoded:
        """One pair."""
        has_two = rng.random() < self.two_share
        scene = interchangeable(rng, 2) if has_two else single(rng)
        text = self._question(scene, rng) if has_two and rng.random() < 0.6 else None
        if text is None:
            prefix = "Output: " if rng.random() < 0.5 else ""
            text = prefix + short_caption(scene)
        return self.encoder(Interleaved.of(draw(scene, rng), text), is_complete=True)

    def _question(self, scene: Scene, rng: np.random.Generator) -> str:
        topic = ("color", "shape")[rng.integers(2)]
        return written_question(rng, *ask(rng, scene, topic))
