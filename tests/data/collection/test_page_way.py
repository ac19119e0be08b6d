"""Pages go through steps in order; no page has more images than can be read in seconds."""

from __future__ import annotations

import io

from PIL import Image

from flamingo.data.collection.images import load_image
from flamingo.data.collection.page_way import MAX_WORK, PageWay, ReadImages
from flamingo.data.collection.pages import ImageNode, Page, TextNode


class OneFile:
    """Finds the same file everywhere but where the address says that it is gone."""

    def __init__(self, content: bytes) -> None:
        self.content, self.num_searches = content, 0

    def find(self, page_address: str, image_address: str) -> bytes | None:
        self.num_searches += 1
        return None if image_address.startswith("gone") else self.content


def picture(side: int) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((side, side)).save(file, "PNG")
    return file.getvalue()


def page_with(addresses: list[str]) -> Page:
    nodes = [TextNode("words"), *(ImageNode(address) for address in addresses)]
    return Page("page.html", "", tuple(nodes))


def test_images_are_read_once_and_missing_ones_are_out() -> None:
    finder = OneFile(picture(32))
    page, removals = PageWay((), ReadImages(finder, load_image))(
        page_with(["a", "gone", "a", "b", "gone"])
    )
    assert page is not None
    assert [image.address for image in page.images] == ["a", "a", "b"]
    assert all(image.image is not None for image in page.images)
    assert [removal.reason for _, removal in removals] == ["the image was not found"] * 2
    assert finder.num_searches == 3


def test_large_images_are_read_until_it_is_enough() -> None:
    reader = ReadImages(OneFile(picture(4_000)), lambda content: load_image(picture(16)))
    outcome = reader(page_with([f"{number}" for number in range(20)]))
    assert outcome.page is not None
    assert len(outcome.page.images) == MAX_WORK // (4_000 * 4_000) == 6
    assert {removal.reason for removal in outcome.removals} == {
        "the page has more images than are read of one page"
    }


def test_missing_and_unreadable_images_are_looked_for_until_it_is_enough() -> None:
    for content, prefix in ((b"", "gone"), (b"no picture", "there")):
        finder = OneFile(content)
        outcome = ReadImages(finder, load_image)(
            page_with([f"{prefix}{number}" for number in range(6_000)])
        )
        assert outcome.page is not None
        assert outcome.page.images == ()
        assert 0 < finder.num_searches <= 5_000
