"""Which file an image tag shows, and which tags show none."""

from __future__ import annotations

import pytest

from flamingo.data.collection.html.addresses import Addresses
from flamingo.data.collection.html.images import LAZY_SOURCES, image_node, is_icon

ADDRESSES = Addresses("page.html")
GIF = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


def address(**attributes: str | None) -> str | None:
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    node = image_node(named, ADDRESSES)
    return None if node is None else node.address


@pytest.mark.parametrize("name", LAZY_SOURCES)
def test_lazy_images_are_found_behind_their_stand_ins(name: str) -> None:
    for source in (GIF, "spacer.gif", "img/1x1.png", "", None):
        node = image_node({"src": source, name: "photo.jpg"}, ADDRESSES)
        assert node is not None
        assert node.address == "photo.jpg"


def test_sets_go_before_the_plain_source() -> None:
    assert address(src="s.jpg", srcset="m.jpg 800w, l.jpg 3000w") == "m.jpg"
    assert address(src="s.jpg", srcset="l.jpg 2x") == "s.jpg"
    assert address(src="s.jpg", srcset="l.jpg 2x", width="300") == "l.jpg"
    assert address(src=GIF, data_srcset="m.jpg 800w") == "m.jpg"
    assert address(src="s.jpg", srcset="javascript:x 800w") == "s.jpg"


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"src": None},
        {"src": GIF},
        {"src": "blank.gif"},
        {"src": "javascript:x"},
        {"src": "photo.jpg", "width": "1", "height": "1"},
        {"src": "photo.jpg", "style": "width:0px"},
        {"src": "images/next.png", "alt": "Next"},
        {"src": "note.png", "alt": "[Note]"},
        {"src": "logo-2x.png", "alt": ""},
        {"src": "GitHub-Mark-32px.png"},
        {"src": "arrow_left.gif"},
    ],
)
def test_no_image_of_the_text(attributes: dict[str, str | None]) -> None:
    assert image_node(attributes, ADDRESSES) is None


@pytest.mark.parametrize(
    ("name", "alt"),
    [
        ("home.jpg", "Our home in 1920"),
        ("stock-menu-left-12.png", ""),
        ("dialogs-icon-new.png", ""),
        ("left.png", ""),
        ("pull_button.png", "Pull request"),
        ("1.png", ""),
    ],
)
def test_words_that_icons_share_do_not_make_one(name: str, alt: str) -> None:
    assert not is_icon(name, alt)


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ({"width": "300", "height": "200px"}, (300, 200)),
        ({"width": "50%", "height": "auto"}, (None, None)),
        ({"width": "300", "style": "max-width: 9px; width: 120.5px"}, (120, None)),
        ({"width": "999999"}, (100_000, None)),
        ({"width": "-5", "height": "1e9"}, (None, None)),
    ],
)
def test_sizes_as_shown(
    attributes: dict[str, str | None], size: tuple[int | None, int | None]
) -> None:
    node = image_node({"src": "a.jpg", **attributes}, ADDRESSES)
    assert node is not None
    assert (node.width, node.height) == size


def test_alternative_text_is_kept_unless_it_is_the_file() -> None:
    for alt, kept in (("  A red\n plough ", "A red plough"), ("a.jpg", ""), (None, "")):
        node = image_node({"src": "a.jpg", "alt": alt}, ADDRESSES)
        assert node is not None
        assert node.alt == kept
