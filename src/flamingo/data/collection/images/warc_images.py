"""Images from the web archives that the pages came from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from flamingo.data.collection.images.address_index import AddressIndex
from flamingo.data.collection.images.finders import MAX_IMAGE_BYTES
from flamingo.data.collection.sources.addresses import canonical
from flamingo.data.collection.sources.warc_index import index_warc
from flamingo.data.collection.sources.warc_scan import address_of, payload_of, record_at
from flamingo.foundation.errors import DataError


class WarcImages:
    """Images by their addresses, in any of several web archives.

    Archives of crawls that only visited pages, such as Common Crawl's, have almost none. Files
    that are compressed as a whole, and not record by record, give none.

    Args:
        paths: of the archives; of images with one address the first counts.
        work: the folder of the indices that `WarcPages` has made; without it, each process scans
            all archives once.
        max_bytes: of an image.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        work: Path | None = None,
        max_bytes: int = MAX_IMAGE_BYTES,
    ) -> None:
        self.paths, self.work, self.max_bytes = tuple(paths), work, max_bytes

    @cached_property
    def index(self) -> AddressIndex:
        """Where each image is; read when the first one is asked for."""
        found = [index_warc(path, self.work) for path in self.paths]
        lengths = [len(one.images) for one in found]
        return AddressIndex.sorted(
            (str(path) for path in self.paths),
            np.concatenate([np.zeros(0, np.uint64), *(one.images for one in found)]),
            np.repeat(np.arange(len(found), dtype=np.int32), lengths),
            np.concatenate([np.zeros(0, np.int64), *(one.image_starts for one in found)]),
            np.full(sum(lengths), -1, np.int64),
        )

    def find(self, page_address: str, image_address: str) -> bytes | None:
        """See `ImageFinder`."""
        place = self.index.find(image_address)
        if place is None:
            return None
        try:
            with open(place.file, "rb") as file:
                record = record_at(file, place.start)
                if address_of(record) != canonical(image_address):
                    return None
                return payload_of(record, self.max_bytes)
        except (OSError, DataError):
            return None

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the index, which may be large: each process reads it from `work`.
        return (WarcImages, (self.paths, self.work, self.max_bytes))
