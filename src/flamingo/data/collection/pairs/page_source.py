"""Pairs of web pages: their images, with the texts that the pages give them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flamingo.data.collection.html import Profile
from flamingo.data.collection.images import ImageFinder, images_of, load_image
from flamingo.data.collection.made_samples import MadeSample, Refused, refused
from flamingo.data.collection.page_way import MAX_SHOWN, ReadImages, read_found
from flamingo.data.collection.pages import ImageNode, Page, Step
from flamingo.data.collection.pairs.frequency import text_hash
from flamingo.data.collection.pairs.making import ImageLoader
from flamingo.data.collection.pairs.of_pages import (
    addresses_with_texts,
    pairs_of_page,
    texts_of_page,
)
from flamingo.data.collection.pairs.settings import PairSettings
from flamingo.data.collection.sources import PageSource, Piece
from flamingo.data.skipping import Skipped


@dataclass(frozen=True)
class PagePairSource:
    """Pairs in the order of the pages. Can be pickled, if what it was given can.

    Attributes:
        source: of the pages.
        settings: what decides which pairs are made.
        profile: what of a page is looked at, see `read_page`.
        load: reads, checks and writes an image anew.
        further: places of images, beside those that `images_of` knows.
        steps: of pages, each of which a pair has to pass like a page of its text and its image.
        frequent: hashes of texts that no pair may have.

    Paper: Sec. 3.1 (ALIGN, whose texts are alternative texts).
    """

    source: PageSource
    settings: PairSettings
    profile: Profile = "main"
    load: ImageLoader = load_image
    further: tuple[ImageFinder, ...] = ()
    steps: tuple[Step, ...] = ()
    frequent: frozenset[int] = frozenset()

    def pieces(self, size: int) -> Sequence[Piece]:
        """All pages, in pieces of so many."""
        return self.source.pieces(size)

    def samples(self, piece: Piece) -> Iterator[MadeSample | Refused]:
        """The samples of a piece in order, and what made none in its place."""
        read_images = ReadImages(images_of(self.source, piece, self.further), self.load)
        for number, page in enumerate(self._pages(piece)):
            if isinstance(page, Refused):
                yield page
                continue
            page, unread = self._with_images(page, read_images)
            yield from pairs_of_page(
                page,
                f"{piece.name}-{number:06d}",
                self.settings,
                frequent=self.frequent,
                steps=self.steps,
                unread=unread,
            )

    def count_texts(self, piece: Piece) -> Counter[int]:
        """How many images of a piece have each text, by its hash; no image is looked at."""
        counts: Counter[int] = Counter()
        for page in self._pages(piece):
            if isinstance(page, Page):
                counts.update(text_hash(text) for text in texts_of_page(page, self.settings))
        return counts

    def without(self, frequent: frozenset[int]) -> PagePairSource:
        """The same source, whose samples have none of these texts; see `frequent_texts`."""
        return replace(self, frequent=frequent)

    def _pages(self, piece: Piece) -> Iterator[Page | Refused]:
        for found in self.source.read(piece):
            page = read_found(found, self.profile)
            yield refused("page", page.reason, page.sample) if isinstance(page, Skipped) else page

    def _with_images(self, page: Page, read_images: ReadImages) -> tuple[Page, dict[str, str]]:
        """The page with those images that would make pairs, and why some of them are not read."""
        wanted = addresses_with_texts(page, self.settings, self.frequent)
        only = [one for one in page.images if one.address in wanted]
        outcome = read_images(page.with_nodes(tuple(only)))
        assert outcome.page is not None
        images = {one.address: one.image for one in outcome.page.images}
        told = {removal.example: removal.reason for removal in outcome.removals}
        unread = {
            one.address: told[one.address[:MAX_SHOWN]] for one in only if one.address not in images
        }
        nodes = (
            replace(node, image=images.get(node.address)) if isinstance(node, ImageNode) else node
            for node in page.nodes
        )
        return page.with_nodes(nodes), unread
