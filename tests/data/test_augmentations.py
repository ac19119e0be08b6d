from __future__ import annotations

import numpy as np

from flamingo.data.augmentations import flip, jitter_color, prepend_space
from flamingo.foundation.randomness import generator
from flamingo.sequence import Interleaved, Visual

CLIP = Visual(np.random.default_rng(0).integers(0, 256, (3, 4, 6, 3), np.uint8))


def test_a_flip_mirrors_all_frames_or_none() -> None:
    mirrored = flip(CLIP, generator(0), probability=1.0)
    assert np.array_equal(mirrored.frames, CLIP.frames[:, :, ::-1])
    assert flip(CLIP, generator(0), probability=0.0) is CLIP


def test_color_jitter_depends_on_its_generator_alone() -> None:
    first, again, other = (jitter_color(CLIP, generator(seed)) for seed in (1, 1, 2))
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    assert first.frames.shape == CLIP.frames.shape


def test_color_jitter_of_strength_zero_changes_nothing() -> None:
    same = jitter_color(CLIP, generator(0), strength=0.0)
    assert np.abs(same.frames.astype(int) - CLIP.frames).max() <= 1


def test_all_frames_change_alike() -> None:
    still = Visual(np.repeat(CLIP.frames[:1], 3, axis=0))
    frames = jitter_color(still, generator(3), strength=0.5).frames
    assert (frames == frames[:1]).all()


def test_one_space_before_the_text_half_of_the_time() -> None:
    pair = Interleaved.of(CLIP, "A cat.", CLIP, "A dog.")
    assert prepend_space(pair, generator(0), probability=1.0).parts == (
        CLIP,
        " A cat.",
        CLIP,
        "A dog.",
    )
    assert prepend_space(pair, generator(0), probability=0.0) is pair
    rng = generator(1)
    share = sum(prepend_space(pair, rng) is not pair for _ in range(1000)) / 1000
    assert abs(share - 0.5) < 0.06
