"""Random changes of training examples; each is a function of its generator alone."""

from __future__ import annotations

import numpy as np

from flamingo.sequence import Interleaved, Visual

GRAY = np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601


def flip(visual: Visual, rng: np.random.Generator, *, probability: float = 0.5) -> Visual:
    """Mirrors left and right, all frames alike; leave it out where sides have a meaning."""
    if rng.random() >= probability:
        return visual
    return Visual(np.ascontiguousarray(visual.frames[:, :, ::-1]))


def jitter_color(visual: Visual, rng: np.random.Generator, *, strength: float = 0.2) -> Visual:
    """Changes brightness, contrast and saturation, all frames alike.

    Args:
        visual: what to change.
        rng: where the draw comes from.
        strength: each of the three is scaled by a factor from `1 - strength` to `1 + strength`.
    """
    brightness, contrast, saturation = rng.uniform(1 - strength, 1 + strength, size=3)
    pixels = visual.frames.astype(np.float32) * np.float32(brightness)
    pixels = _blended(pixels, (pixels @ GRAY).mean(keepdims=True), contrast)
    pixels = _blended(pixels, (pixels @ GRAY)[..., None], saturation)
    return Visual(np.clip(pixels, 0, 255).round().astype(np.uint8))


def prepend_space(
    document: Interleaved, rng: np.random.Generator, *, probability: float = 0.5
) -> Interleaved:
    """Begins the text of an image-text or video-text pair with one space, half of the time.

    Paper: App. A.3 ("substantial" gain).
    """
    if rng.random() >= probability:
        return document
    parts = list(document.parts)
    for position, part in enumerate(parts):
        if isinstance(part, str):
            parts[position] = " " + part
            break
    return Interleaved(tuple(parts))


def _blended(pixels: np.ndarray, base: np.ndarray, amount: float) -> np.ndarray:
    return (pixels - base) * np.float32(amount) + base
