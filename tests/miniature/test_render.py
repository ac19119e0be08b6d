from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from flamingo.foundation.randomness import generator
from flamingo.miniature.render import FRAMES_PER_CLIP, RGB, render_clip, render_scene
from flamingo.miniature.scene import (
    BACKGROUNDS,
    COLORS,
    MOTIONS,
    SHAPES,
    SIZES,
    TEXTURES,
    Clip,
    Scene,
    Thing,
    random_clip,
    random_scene,
)

THING = Thing("square", "red", "large", "solid")


def drawn(thing: Thing, background: str = "black", key: int = 0) -> np.ndarray:
    return render_scene(Scene((thing,), background), generator("render", key))


def inside(picture: np.ndarray, background: str = "black") -> np.ndarray:
    """Where the picture differs from its background."""
    difference = np.abs(picture.astype(float) - np.array(RGB[background])).max(-1)
    return difference > 60


def test_pictures_are_bytes_of_the_asked_size():
    scene = random_scene(generator("size"))
    for size in (64, 96):
        picture = render_scene(scene, generator("size", size), size)
        assert picture.shape == (size, size, 3)
        assert picture.dtype == np.uint8


def test_the_same_generator_draws_the_same_picture_and_another_does_not():
    assert np.array_equal(drawn(THING, key=1), drawn(THING, key=1))
    assert not np.array_equal(drawn(THING, key=1), drawn(THING, key=2))


@pytest.mark.parametrize("color", COLORS)
def test_the_center_has_the_color_and_the_corner_the_background(color):
    for background in BACKGROUNDS:
        picture = drawn(replace(THING, color=color), background).astype(float)
        for place, name in ((picture[30:34, 30:34], color), (picture[:4, :4], background)):
            nearest = min(RGB, key=lambda n: np.abs(place.mean((0, 1)) - RGB[n]).sum())
            assert nearest == name


def test_things_are_drawn_where_they_are():
    picture = drawn(replace(THING, size="small", x=0.25, y=0.75))
    rows, columns = np.nonzero(inside(picture))
    assert abs(columns.mean() / 64 - 0.25) < 0.03
    assert abs(rows.mean() / 64 - 0.75) < 0.03


def test_sizes_do_not_overlap():
    areas = {
        size: [inside(drawn(replace(THING, size=size), key=k)).sum() for k in range(8)]
        for size in SIZES
    }
    assert max(areas["small"]) < min(areas["medium"])
    assert max(areas["medium"]) < min(areas["large"])


@pytest.mark.parametrize("size", SIZES)
def test_shapes_differ_more_from_each_other_than_from_themselves(size):
    def mask(shape: str, key: int) -> np.ndarray:
        return inside(drawn(replace(THING, shape=shape, size=size), key=key)).astype(float)

    mean = {shape: sum(mask(shape, k) for k in range(8)) / 8 for shape in SHAPES}
    hits = [
        min(SHAPES, key=lambda s: ((mean[s] - mask(shape, key)) ** 2).sum()) == shape
        for shape in SHAPES
        for key in range(100, 106)
    ]
    assert np.mean(hits) > 0.9


def test_textures_differ():
    contrast = {
        texture: drawn(replace(THING, texture=texture))[24:40, 24:40, 0].std()
        for texture in TEXTURES
    }
    assert all(contrast[t] > 3 * contrast["solid"] for t in TEXTURES if t != "solid")


@pytest.mark.parametrize("motion", MOTIONS)
def test_only_what_the_motion_says_changes(motion):
    clip = Clip(Scene((replace(THING, size="medium"),), "black"), motion)
    frames = render_clip(clip, generator("clip"))
    assert frames.shape == (FRAMES_PER_CLIP, 64, 64, 3)
    first, last = inside(frames[0]), inside(frames[-1])
    dy, dx = (np.mean(b) - np.mean(a) for a, b in zip(first.nonzero(), last.nonzero(), strict=True))
    growth = last.sum() / first.sum()
    expected = {"left": (-23, 0), "right": (23, 0), "up": (0, -23), "down": (0, 23)}
    x, y = expected.get(motion, (0, 0))
    assert abs(dx - x) < 1.5
    assert abs(dy - y) < 1.5
    if motion == "growing":
        assert growth > 3
    elif motion == "shrinking":
        assert growth < 1 / 3
    else:
        assert 0.9 < growth < 1.1


def test_drawing_is_quick():
    rng = generator("speed")
    clips = [random_clip(rng) for _ in range(5)]
    scenes = [random_scene(rng) for _ in range(100)]
    start = time.process_time()
    for scene in scenes:
        render_scene(scene, rng)
    assert time.process_time() - start < 1.0
    for clip in clips:
        render_clip(clip, rng)
