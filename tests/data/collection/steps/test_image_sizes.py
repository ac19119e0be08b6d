"""Sizes and shapes of images, at their thresholds from both sides."""

from __future__ import annotations

import pytest

from flamingo.data.collection.steps.image_sizes import AspectRatio, ImageSize, RenderedSize
from flamingo.foundation.errors import ConfigError
from tests.data.collection.steps.pages_for_steps import image, kept_of, page, reason_of


@pytest.mark.parametrize(
    ("width", "height", "stays"),
    [
        (64, 64, True),
        (63, 500, False),
        (500, 63, False),
        (None, None, True),
        (64, None, True),
        (63, None, False),
        (None, 0, False),
    ],
)
def test_rendered_size(width: int | None, height: int | None, stays: bool) -> None:
    node = image(width=width, height=height)
    assert kept_of(RenderedSize(), node) == ([node] if stays else [])


@pytest.mark.parametrize(
    ("original", "stays"), [((64, 64), True), ((63, 500), False), ((500, 63), False)]
)
def test_loaded_size(original: tuple[int, int], stays: bool) -> None:
    node = image(width=1, height=1, original=original)
    assert kept_of(ImageSize(), node) == ([node] if stays else [])


def test_largest_size() -> None:
    huge, large = image(original=(301, 200)), image(original=(300, 200))
    assert kept_of(ImageSize(max_side=300), huge, large) == [large]
    huge, large = image(width=200, height=301), image(width=200, height=300)
    assert kept_of(RenderedSize(max_side=300), huge, large) == [large]


@pytest.mark.parametrize(
    ("original", "stays"),
    [((300, 100), True), ((301, 100), False), ((100, 300), True), ((100, 301), False)],
)
def test_aspect_ratio(original: tuple[int, int], stays: bool) -> None:
    node = image(original=original)
    assert kept_of(AspectRatio(), node) == ([node] if stays else [])


def test_reasons() -> None:
    assert reason_of(ImageSize()(page(image(original=(10, 90))))) == (
        "a side of 10 pixels, at least 64"
    )
    assert reason_of(RenderedSize(max_side=70)(page(image(width=71)))) == (
        "shown with 71 pixels, at most 70"
    )
    assert reason_of(AspectRatio()(page(image(original=(420, 100))))) == (
        "aspect ratio 4.20, at most 3"
    )


@pytest.mark.parametrize("step", [ImageSize(), AspectRatio()])
def test_an_image_that_was_not_read_is_not_judged(step: ImageSize | AspectRatio) -> None:
    node = image(width=1, height=1)
    assert kept_of(step, node) == [node]


@pytest.mark.parametrize("step", [RenderedSize, ImageSize])
def test_impossible_sizes(step: type[RenderedSize] | type[ImageSize]) -> None:
    with pytest.raises(ConfigError, match="min_side=-1"):
        step(min_side=-1)
    with pytest.raises(ConfigError, match="at least 64 and at most 63 pixels"):
        step(max_side=63)


def test_an_impossible_ratio() -> None:
    with pytest.raises(ConfigError, match=r"max_ratio=0\.5"):
        AspectRatio(max_ratio=0.5)
