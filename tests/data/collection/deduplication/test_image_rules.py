"""Icons, logos, copies and images of benchmarks are found, and other images are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from flamingo.data.collection.deduplication import (
    NO_DEDUPLICATION,
    BenchmarkImages,
    DeduplicationSettings,
)
from flamingo.data.collection.images.loading import load_image
from flamingo.data.collection.pages import ImageNode, LoadedImage, Page
from flamingo.sequence import Visual
from tests.data.collection.deduplication.pages_for_tests import decided, image, left, page
from tests.evaluation.smooth_pictures import smooth_picture

IN_PAGE = replace(NO_DEDUPLICATION, same_in_page=True)
IN_CORPUS = replace(NO_DEDUPLICATION, near_in_corpus="remove")
FAR = 0xFFFF_FFFF


def images_left(pages: list[Page], settings: DeduplicationSettings) -> list[list[str]]:
    """The addresses of the images that stay, by page."""
    outcome = left(decided([pages], settings), [pages])
    return [[node.address.rpartition("/")[2] for node in one.images] for one in outcome]


def test_an_address_that_is_used_too_often_goes_everywhere() -> None:
    icon = image("icon")
    pages = [page("a", icon, image("1"), icon), page("b", image("2"), icon)]
    settings = replace(NO_DEDUPLICATION, max_uses_of_address=2)
    assert images_left(pages, settings) == [["1"], ["2"]]
    assert images_left(pages, replace(settings, max_uses_of_address=3)) == [
        ["icon", "1", "icon"],
        ["2", "icon"],
    ]


def test_an_image_on_too_many_pages_goes_wherever_it_is_from() -> None:
    pages = [
        page(f"{number}", image("logo", address=f"/logo{number}"), image(f"{number}"))
        for number in range(4)
    ]
    pages[0] = page("0", *[image("logo", address="/again")] * 9, image("0"))
    settings = replace(NO_DEDUPLICATION, max_pages_of_image=3)
    assert images_left(pages, settings) == [["0"], ["1"], ["2"], ["3"]]
    assert len(images_left(pages, replace(settings, max_pages_of_image=4))[0]) == 10


def test_images_that_were_not_read_are_no_copies_of_each_other() -> None:
    pages = [page("a", ImageNode("1"), ImageNode("2")), page("b", ImageNode("3"))]
    settings = replace(IN_PAGE, max_pages_of_image=1, near_in_corpus="remove")
    assert images_left(pages, settings) == [["1", "2"], ["3"]]


def test_copies_on_one_page_go_and_those_on_others_stay() -> None:
    pages = [
        page("a", image("1", 0b1), image("2", 0b111), image("1", 0b1), image("3", FAR)),
        page("b", image("1", 0b1), image("white", None), image("black", None)),
        page("c", image("white", None), image("white", None)),
    ]
    same = [["1", "2", "3"], ["1", "white", "black"], ["white"]]
    assert images_left(pages, IN_PAGE) == same
    near = replace(IN_PAGE, near_in_page="remove", image_bits=2)
    assert images_left(pages, near) == [["1", "3"], *same[1:]]
    assert images_left(pages, replace(near, image_bits=1)) == same
    assert images_left(pages, replace(near, near_in_page="report")) == same


def test_over_the_corpus_the_first_stays_or_all_do() -> None:
    pages = [
        page("a", image("1", 0b1), image("2", FAR)),
        page("b", image("3", 0b11), image("4", FAR ^ 1), image("white", None)),
    ]
    assert images_left(pages, IN_CORPUS) == [["1", "2"], ["white"]]
    only_told = decided([pages], replace(IN_CORPUS, near_in_corpus="report"))
    assert len(only_told.found["near-in-corpus"]) == 2
    assert left(only_told, [pages]) == pages


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue()))


def loaded(picture: Image.Image) -> LoadedImage:
    file = io.BytesIO()
    picture.save(file, "PNG")
    made = load_image(file.getvalue())
    assert isinstance(made, LoadedImage)
    return made


@pytest.mark.parametrize(
    ("change", "share"),
    [
        (lambda own: jpeg(own, 60), 1.0),
        (lambda own: own.resize((80, 60)), 0.85),
        (lambda own: own.resize((320, 240)), 0.95),
        (lambda own: ImageEnhance.Brightness(own).enhance(0.8), 0.95),
    ],
)
def test_changed_copies_of_real_pictures_are_found(
    change: Callable[[Image.Image], Image.Image], share: float
) -> None:
    pictures = [smooth_picture(seed) for seed in range(40)]
    pages = [
        page(f"{seed}", ImageNode("own", image=loaded(own))) for seed, own in enumerate(pictures)
    ]
    copies = [
        page(f"{seed} again", ImageNode("copy", image=loaded(change(own))))
        for seed, own in enumerate(pictures)
    ]
    found = decided([pages, copies], IN_CORPUS).found["near-in-corpus"]
    assert len(found) >= share * len(pictures)
    # No two pictures are taken for each other.
    np.testing.assert_array_equal(found.rows, found.likes + len(pictures))


def test_images_of_benchmarks_are_told_or_removed() -> None:
    pictures = [smooth_picture(seed) for seed in range(6)]
    visuals = [(f"{seed}.png", Visual.from_image(own)) for seed, own in enumerate(pictures)]
    known = BenchmarkImages.joined(
        [BenchmarkImages.of("coco", visuals[:2]), BenchmarkImages.of("okvqa", visuals[2:4])]
    )
    shown = [pictures[0], jpeg(pictures[3], 70), pictures[4], Image.new("RGB", (50, 50))]
    pages = [page("a", *(ImageNode(f"{n}", image=loaded(own)) for n, own in enumerate(shown)))]
    settings = replace(NO_DEDUPLICATION, benchmark_images="report")
    told = decided([pages], settings, known)
    assert told.found["benchmark-image"].rows.tolist() == [0, 1]
    assert left(told, [pages]) == pages
    removed = decided([pages], replace(settings, benchmark_images="remove"), known)
    assert [node.address for node in left(removed, [pages])[0].images] == ["2", "3"]
    reasons = removed.of(0).page(0).images
    assert reasons[0].text == "0 bits from coco: 0.png"
    assert reasons[1].text.endswith("from okvqa: 3.png")


def test_of_several_images_of_a_benchmark_the_nearest_is_told() -> None:
    known = BenchmarkImages(
        sets=("coco",),
        keys=("far", "near", "as near"),
        set_of=np.zeros(3, np.int64),
        pixels=np.arange(1, 4, dtype=np.uint64),
        looks=np.array([0b1111, 0b1, 0b1], np.uint64),
        has_look=np.ones(3, np.bool_),
    )
    settings = replace(NO_DEDUPLICATION, benchmark_images="remove")
    pages = [page("a", image("x", 0), image("y", 0), image("z", FAR))]
    decision = decided([pages], settings, known).of(0).page(0)
    assert {number: one.text for number, one in decision.images.items()} == {
        0: "1 bits from coco: near",
        1: "1 bits from coco: near",
    }


def test_without_benchmarks_there_is_no_such_rule() -> None:
    settings = replace(NO_DEDUPLICATION, benchmark_images="remove")
    pages = [page("a", image("x", 0))]
    assert decided([pages], settings).found == {}
    nothing = decided([pages], settings, BenchmarkImages.joined([]))
    assert len(nothing.found["benchmark-image"]) == 0
