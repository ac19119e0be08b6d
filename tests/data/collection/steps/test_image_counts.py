"""Numbers of images, and images that are shown twice."""

from __future__ import annotations

import pytest

from flamingo.data.collection.steps.image_counts import DuplicateImages, NumberOfImages
from flamingo.foundation.errors import ConfigError
from tests.data.collection.steps.pages_for_steps import (
    image,
    is_kept,
    kept_of,
    noise,
    page,
    reason_of,
    text,
)


def test_a_page_without_images_is_out() -> None:
    assert is_kept(NumberOfImages(), image(), text("a"))
    assert not is_kept(NumberOfImages(), text("a"))
    assert reason_of(NumberOfImages()(page())) == "0 images, at least 1"


def test_a_page_with_too_many_images_is_out() -> None:
    step = NumberOfImages(1, 30)
    assert is_kept(step, *[image()] * 30)
    assert not is_kept(step, *[image()] * 31)


def test_the_first_of_each_image_stays() -> None:
    one, two = noise(1), noise(2)
    nodes = [
        image("a.png", thumbnail=one),
        image("b.png", thumbnail=two),
        image("c.png", thumbnail=one),
        image("b.png", thumbnail=two),
        image("d.png"),
        image("d.png"),
        image("c.png"),
    ]
    assert kept_of(DuplicateImages(), *nodes) == [nodes[0], nodes[1], nodes[4]]
    reasons = [removal.reason for removal in DuplicateImages()(page(*nodes)).removals]
    pixels, address = (
        f"the page has shown {what} before" for what in ("these pixels", "this address")
    )
    assert reasons == [pixels, address, address, address]


def test_an_address_is_no_hash_of_pixels() -> None:
    loaded = image("a.png", thumbnail=noise())
    assert loaded.image is not None
    other = image(loaded.image.sha256)
    assert kept_of(DuplicateImages(), loaded, other) == [loaded, other]


def test_impossible_settings() -> None:
    with pytest.raises(ConfigError, match="min_images=-1"):
        NumberOfImages(-1)
    with pytest.raises(ConfigError, match="at least 3 and at most 2 images"):
        NumberOfImages(3, 2)
