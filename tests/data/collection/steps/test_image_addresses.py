"""What addresses say about images."""

from __future__ import annotations

import pytest

from flamingo.data.collection.steps.image_addresses import ImageAddress, ImageFormat, format_in
from flamingo.foundation.errors import ConfigError
from tests.data.collection.steps.pages_for_steps import image, kept_of, page, reason_of


@pytest.mark.parametrize("word", ["logo", "button", "icon", "plugin", "widget", "Logo", "ICONS"])
def test_words_in_addresses(word: str) -> None:
    good = image("https://example.com/photos/rose.jpg")
    bad = image(f"https://example.com/{word}/rose.jpg")
    assert kept_of(ImageAddress(), good, bad) == [good]
    assert reason_of(ImageAddress()(page(bad))).startswith("the address has ")


def test_words_can_be_chosen() -> None:
    node = image("https://example.com/BANNER.jpg")
    assert kept_of(ImageAddress(), node) == [node]
    assert kept_of(ImageAddress(words=("Banner",)), node) == []


def test_data_has_no_words() -> None:
    node = image("DATA:image/png;base64,aconiconlogo")
    assert kept_of(ImageAddress(), node) == [node]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://example.com/a.JPG?size=3#x", "jpg"),
        ("images/a.b.webp", "webp"),
        ("https://example.com/a%2Egif", "gif"),
        ("https://example.com/image.php?f=a.png", None),
        ("https://example.png/", None),
        ("https://example.com/png", None),
        ("data:image/svg+xml;utf8,<svg/>", "svg"),
        ("data:image/x-icon;base64,aaaa", None),
        ("data:image/PNG;base64,a.gif", "png"),
        ("data:,x.png", None),
        ("", None),
    ],
)
def test_formats_in_addresses(address: str, found: str | None) -> None:
    assert format_in(address) == found


def test_formats() -> None:
    nodes = [image(f"a.{ending}") for ending in ("jpg", "jpeg", "png", "webp", "php")]
    assert kept_of(ImageFormat(), image("a.gif"), *nodes, image("a.svg")) == nodes
    assert kept_of(ImageFormat(formats=("gif",)), image("a.gif"), nodes[0]) == [image("a.gif")]
    assert reason_of(ImageFormat(formats=("png",))(page(image("a.gif")))) == (
        "format gif, wanted png"
    )


def test_impossible_settings() -> None:
    with pytest.raises(ConfigError, match="words"):
        ImageAddress(words=())
    with pytest.raises(ConfigError, match="lacks a name"):
        ImageFormat(formats=("png", " "))
