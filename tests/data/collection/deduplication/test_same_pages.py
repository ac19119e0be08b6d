"""Of pages that are there again the right one stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flamingo.data.collection.deduplication import NO_DEDUPLICATION
from flamingo.data.collection.pages import ImageNode
from tests.data.collection.deduplication.pages_for_tests import (
    addresses_left,
    decided,
    image,
    left,
    page,
    text,
)

SAME_ADDRESS = replace(NO_DEDUPLICATION, same_address=True)
SAME_TEXT = replace(NO_DEDUPLICATION, same_text=True)
SAME_IMAGES = replace(NO_DEDUPLICATION, same_images=True)


def test_of_one_address_the_latest_page_stays() -> None:
    dates = ["2020", "2022-05-01T00:00:00Z", None, "20220501000000", "2021"]
    spellings = ["http://e.org/a", "http://E.org/a#b", "http://e.org/a?utm_id=1"]
    pages = [
        page(spellings[number % 3], f"text {number}", date=date)
        for number, date in enumerate(dates)
    ]
    pages.append(page("http://e.org/b", "another"))
    assert left(decided([pages], SAME_ADDRESS), [pages]) == [pages[1], pages[5]]


def test_paths_may_be_the_same() -> None:
    pages = [page("index.html", "one folder"), page("index.html", "another folder")]
    assert len(left(decided([pages], SAME_ADDRESS), [pages])) == 2


def test_of_one_text_the_first_page_stays_also_over_pieces() -> None:
    pieces = [
        [page("a", text(20, 0), text(9, 1)), page("b", text(20, 2))],
        [page("c", text(20, 0), text(9, 1)), page("d", text(20, 0), text(9, 1) + ".")],
    ]
    assert [one.address for one in left(decided(pieces, SAME_TEXT), pieces)] == ["a", "b", "d"]


def test_texts_that_are_too_short_may_be_the_same() -> None:
    pages = [page("a", "My photos", image("x")), page("b", "My photos", image("y"))]
    assert addresses_left(pages, SAME_TEXT) == ["a", "b"]
    assert addresses_left(pages, replace(SAME_TEXT, min_words=2)) == ["a"]
    empty = [page("a", image("x")), page("b", image("y"))]
    assert addresses_left(empty, replace(SAME_TEXT, min_words=0)) == ["a", "b"]


def test_of_one_set_of_images_the_latest_page_stays() -> None:
    pages = [
        page("a", image("x"), "1", image("y"), date="2021"),
        page("b", image("y"), image("x"), image("x"), date="2022"),
        page("c", image("x")),
        page("d", image("x"), image("y"), image("z"), date="2023"),
        page("e", image("x", address="elsewhere"), image("y"), date="2022"),
        page("f", "no image"),
        page("g", "none either"),
    ]
    assert addresses_left(pages, SAME_IMAGES) == ["b", "c", "d", "f", "g"]


def test_images_that_were_not_read_are_known_by_address() -> None:
    pages = [
        page("a", ImageNode("https://i.org/1.png")),
        page("b", ImageNode("https://i.org/1.png?utm_source=b")),
        page("c", ImageNode("https://i.org/2.png")),
    ]
    assert addresses_left(pages, SAME_IMAGES) == ["a", "c"]


def test_an_image_that_is_everywhere_makes_no_set() -> None:
    logo = [page(f"{number}", text(9, number), image("logo")) for number in range(5)]
    assert len(addresses_left(logo, SAME_IMAGES)) == 1
    settings = replace(SAME_IMAGES, max_pages_of_image=4)
    pages = left(decided([logo], settings), [logo])
    assert len(pages) == 5
    assert not any(one.images for one in pages)


@pytest.mark.parametrize("name", ["same_address", "same_text", "same_images"])
def test_a_reason_names_what_stays(name: str) -> None:
    pages = [page("http://e.org/a", text(20, 0), image("x"), date=date) for date in "12"]
    out = [
        decided([pages], replace(NO_DEDUPLICATION, **{name: True})).of(0).page(number).out
        for number in (0, 1)
    ]
    reasons = [one for one in out if one is not None]
    assert len(reasons) == 1
    assert "http://e.org/a" in reasons[0].text
    assert reasons[0].rule.replace("-", "_") == name
