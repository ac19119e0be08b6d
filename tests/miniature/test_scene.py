from __future__ import annotations

import math

import pytest

from flamingo.foundation.errors import ConfigError
from flamingo.foundation.randomness import generator
from flamingo.miniature.scene import (
    COLORS,
    GROWTH,
    HELD_OUT_PAIRS,
    MOTIONS,
    SHAPES,
    SIZES,
    TRAVEL,
    Thing,
    arrange,
    random_clip,
    random_scene,
)


def test_held_out_pairs_take_each_color_and_each_shape_once():
    assert len(HELD_OUT_PAIRS) == 8
    assert {color for color, _ in HELD_OUT_PAIRS} == set(COLORS)
    assert {shape for _, shape in HELD_OUT_PAIRS} == set(SHAPES)


@pytest.mark.parametrize("pairs", ["train", "held_out"])
def test_scenes_hold_only_the_pairs_that_were_asked_for(pairs):
    rng = generator("test scene", pairs)
    things = [t for _ in range(200) for t in random_scene(rng, pairs=pairs).things]
    things += [t for _ in range(50) for t in random_clip(rng, pairs=pairs).scene.things]
    seen = {(thing.color, thing.shape) for thing in things}
    assert seen.isdisjoint(HELD_OUT_PAIRS) if pairs == "train" else seen == HELD_OUT_PAIRS


@pytest.mark.parametrize("num_things", [1, 2, 3, 4])
def test_things_stay_inside_and_apart(num_things):
    rng = generator("test scene", num_things)
    for _ in range(100):
        scene = random_scene(rng, num_things=num_things)
        assert len(scene.things) == num_things
        for i, thing in enumerate(scene.things):
            assert thing.radius <= thing.x <= 1 - thing.radius
            assert thing.radius <= thing.y <= 1 - thing.radius
            for other in scene.things[:i]:
                distance = math.hypot(thing.x - other.x, thing.y - other.y)
                assert distance > thing.radius + other.radius


def test_four_large_things_find_room():
    scene = arrange(generator("test four"), [Thing("star", "red", "large", "solid")] * 4, "white")
    assert len({thing.place for thing in scene.things}) == 4
    assert scene.background == "white"


def test_the_number_of_things_varies_unless_given():
    rng = generator("test number")
    assert {len(random_scene(rng).things) for _ in range(100)} == {1, 2, 3, 4}


def test_the_same_generator_gives_the_same_scene():
    assert random_scene(generator("a", 1)) == random_scene(generator("a", 1))
    assert random_scene(generator("a", 1)) != random_scene(generator("a", 2))


@pytest.mark.parametrize("motion", MOTIONS)
def test_a_thing_in_motion_stays_inside(motion):
    rng = generator("test clip", motion)
    for _ in range(50):
        clip = random_clip(rng, motion=motion)
        (thing,) = clip.scene.things
        travel = TRAVEL / 2 if motion in ("left", "right", "up", "down") else 0.0
        reach = thing.radius * (GROWTH if motion in ("growing", "shrinking") else 1.0)
        along = thing.x if motion in ("left", "right") else thing.y
        assert reach + travel <= along <= 1 - reach - travel
        assert clip.motion == motion


def test_places_have_names():
    assert Thing("ring", "red", SIZES[0], "solid", x=0.1, y=0.9).place == "bottom left"
    assert Thing("ring", "red", SIZES[0], "solid", x=0.5, y=0.1).place == "top"
    assert Thing("ring", "red", SIZES[0], "solid").place == "center"


@pytest.mark.parametrize("num_things", [0, 5])
def test_an_impossible_number_of_things_is_named(num_things):
    with pytest.raises(ConfigError, match=rf"1 to 4 things, but num_things is {num_things}"):
        random_scene(generator("errors"), num_things=num_things)
