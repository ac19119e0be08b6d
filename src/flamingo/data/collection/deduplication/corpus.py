"""All pages of all pieces, one after the other, and their images and texts likewise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from flamingo.data.collection.deduplication.shingles import mixed
from flamingo.data.collection.deduplication.tables import SignatureTable

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Place:
    """Where a page, or one of its images or texts, is.

    Attributes:
        piece: number of the piece.
        page: number of the page in its piece.
        part: number of the image or text on its page; 0 for the page itself.
    """

    piece: int
    page: int
    part: int = 0


class Corpus:
    """Rows of pages, of images and of texts count through all pieces.

    Args:
        tables: one for each piece, in the order of the pieces. None are as one that is empty.
    """

    def __init__(self, tables: Iterable[SignatureTable]) -> None:
        self.tables = tuple(tables) or (SignatureTable.of([]),)
        self.page_starts = _starts([len(table) for table in self.tables])

    @property
    def num_pages(self) -> int:
        """How many pages there are."""
        return int(self.page_starts[-1])

    @cached_property
    def image_starts(self) -> Rows:
        """Where the images of each page start, and the last ones end."""
        return _starts(self._concatenated(table.num_images for table in self.tables))

    @cached_property
    def text_starts(self) -> Rows:
        """Where the texts of each page start, and the last ones end."""
        return _starts(self._concatenated(table.num_texts for table in self.tables))

    def pages(self, name: str) -> npt.NDArray[Any]:
        """A column of all pages; `SignatureTable.numbers` has the names."""
        return self._concatenated(table.numbers(name) for table in self.tables)

    def images(self, name: str) -> npt.NDArray[Any]:
        """A column of all images; `SignatureTable.items` has the names."""
        return self._concatenated(table.items(name) for table in self.tables)

    def pages_of_images(self) -> Rows:
        """The page of each image."""
        return np.repeat(np.arange(self.num_pages), np.diff(self.image_starts))

    def band(self, start: int, end: int) -> npt.NDArray[np.uint64]:
        """A hash for each page of some of the numbers of its MinHash."""
        return self._concatenated(_folded(table.minhashes[:, start:end]) for table in self.tables)

    def minhashes(self, pages: Rows) -> npt.NDArray[np.uint32]:
        """`[len(pages), 128]`."""
        pieces = np.searchsorted(self.page_starts, pages, "right") - 1
        numbers = pages - self.page_starts[pieces]
        if len(pages) and (pieces == pieces[0]).all():
            return self.tables[pieces[0]].minhashes[numbers]
        found = np.empty((len(pages), 128), np.uint32)
        for piece in np.unique(pieces):
            here = pieces == piece
            found[here] = self.tables[piece].minhashes[numbers[here]]
        return found

    def place_of_page(self, page: int) -> Place:
        """Where a page is."""
        piece = int(np.searchsorted(self.page_starts, page, "right")) - 1
        return Place(piece, int(page - self.page_starts[piece]))

    def place_of_image(self, image: int) -> Place:
        """Where an image is."""
        return self._place_of_part(self.image_starts, image)

    def place_of_text(self, text: int) -> Place:
        """Where a text is."""
        return self._place_of_part(self.text_starts, text)

    def address(self, place: Place) -> str:
        """Of the page at a place."""
        return self.tables[place.piece].address(place.page)

    def _place_of_part(self, starts: Rows, row: int) -> Place:
        page = int(np.searchsorted(starts, row, "right")) - 1
        place = self.place_of_page(page)
        return Place(place.piece, place.page, int(row - starts[page]))

    def _concatenated(self, columns: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return np.concatenate(list(columns))


def _starts(lengths: Any) -> Rows:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _folded(numbers: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    keys = np.zeros(len(numbers), np.uint64)
    for column in range(numbers.shape[1]):
        keys = mixed(keys) + numbers[:, column]
    return keys
