"""A copy of a picture has nearly the same hash; another picture has not."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from flamingo.data.perceptual_hash import perceptual_hash
from flamingo.sequence import Visual
from tests.evaluation.smooth_pictures import smooth_picture

SEEDS = range(10)


def hash_of(picture: Image.Image) -> int:
    found = perceptual_hash(Visual.from_image(picture))
    assert found is not None
    return found


def as_jpeg(picture: Image.Image) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=40)
    return Image.open(file)


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "jpeg": as_jpeg,
    "half": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "double": lambda picture: picture.resize((picture.width * 2, picture.height * 2)),
    "stretched": lambda picture: picture.resize((200, 120)),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.7),
    "paler": lambda picture: ImageEnhance.Contrast(picture).enhance(0.6),
    "gray": lambda picture: picture.convert("L"),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_differs_in_few_bits(copy: str) -> None:
    for seed in SEEDS:
        picture = smooth_picture(seed)
        difference = hash_of(picture) ^ hash_of(COPIES[copy](picture))
        assert difference.bit_count() <= 6


def test_other_pictures_differ_in_many_bits() -> None:
    hashes = [hash_of(smooth_picture(seed)) for seed in SEEDS]
    pairs = [(a, b) for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min((a ^ b).bit_count() for a, b in pairs) > 12


def test_half_of_the_bits_are_set() -> None:
    assert {hash_of(smooth_picture(seed)).bit_count() for seed in SEEDS} == {32}


def test_a_picture_of_one_color_has_no_hash() -> None:
    gray = np.full((50, 40, 3), 120, np.uint8)
    assert perceptual_hash(Visual.from_image(gray)) is None
    noise = np.random.default_rng(0).integers(0, 2, gray.shape, dtype=np.uint8)
    assert perceptual_hash(Visual.from_image(gray + noise)) is None


def test_of_a_video_the_middle_frame_counts() -> None:
    frames = [np.asarray(smooth_picture(seed)) for seed in range(3)]
    assert perceptual_hash(Visual.from_frames(frames)) == hash_of(smooth_picture(1))


def test_the_smallest_picture_passes() -> None:
    pixels = np.array([[[0] * 3, [255] * 3]], np.uint8)
    assert hash_of(Image.fromarray(pixels)).bit_length() <= 64
