"""Pairs of an image and a text, from files of captions of any usual form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flamingo.data.collection.images import ImageFinder, load_image
from flamingo.data.collection.made_samples import MadeSample, Refused, refused
from flamingo.data.collection.pages import Step
from flamingo.data.collection.pairs.contents import content_of, is_url
from flamingo.data.collection.pairs.frequency import text_hash
from flamingo.data.collection.pairs.making import (
    ImageLoader,
    drawn,
    pair_samples,
    usable_texts,
)
from flamingo.data.collection.pairs.opening import caption_readers
from flamingo.data.collection.pairs.records import CaptionPiece, CaptionReader, CaptionRecord
from flamingo.data.collection.pairs.settings import PairSettings
from flamingo.data.collection.sources.source import stem_of
from flamingo.data.datasets.media import IMAGES

_MAX_ADDRESS = 2000


@dataclass(frozen=True)
class PairSource:
    """Pairs in a fixed order. Can be pickled, if what it was given can: processes get copies.

    Attributes:
        readers: one for each file of captions.
        settings: what decides which pairs are made.
        load: reads, checks and writes an image anew.
        finder: where images may be that are neither in the files nor in their folder.
        steps: of pages, each of which a pair has to pass too: where explicit content is to go.
        frequent: hashes of texts that no pair may have.
    """

    readers: tuple[CaptionReader, ...]
    settings: PairSettings
    load: ImageLoader = load_image
    finder: ImageFinder | None = None
    steps: tuple[Step, ...] = ()
    frequent: frozenset[int] = frozenset()

    @classmethod
    def open(
        cls,
        path: str,
        settings: PairSettings,
        *,
        load: ImageLoader = load_image,
        finder: ImageFinder | None = None,
        steps: Sequence[Step] = (),
    ) -> PairSource:
        """Opens files of captions.

        Args:
            path: a file, a pattern, or a folder; see `caption_readers`.
            settings: what decides which pairs are made.
            load: reads, checks and writes an image anew.
            finder: where images may be that are neither in the files nor in their folder.
            steps: of pages, each of which a pair has to pass too.

        Raises:
            ConfigError: the pattern is impossible.
            DataError: there is nothing that holds captions.
        """
        readers = caption_readers(path, settings.columns, IMAGES, settings.format)
        return cls(tuple(readers), settings, load, finder, tuple(steps))

    def pieces(self, size: int) -> list[CaptionPiece]:
        """All captions, cut into pieces of so many images; the last of each file is smaller.

        Raises:
            ConfigError: `size` is below 1, or a column that the settings name is not there.
            DataError: a file cannot be understood at all.
        """
        return [piece for reader in self.readers for piece in reader.pieces(size)]

    def samples(self, piece: CaptionPiece) -> Iterator[MadeSample | Refused]:
        """The samples of a piece in order, and what made none in its place."""
        reader = self._reader(piece)
        for record in reader.records(piece):
            if isinstance(record, Refused):
                yield record
            else:
                yield from self._samples(record, reader)

    def count_texts(self, piece: CaptionPiece) -> Counter[int]:
        """How many images of a piece have each text, by its hash; no image is looked at."""
        counts: Counter[int] = Counter()
        for record in self._reader(piece).records(piece):
            if isinstance(record, CaptionRecord):
                usable = usable_texts(record.texts, self.settings)
                counts.update({text_hash(one) for one in usable if isinstance(one, str)})
        return counts

    def without(self, frequent: frozenset[int]) -> PairSource:
        """The same source, whose samples have none of these texts; see `frequent_texts`."""
        return replace(self, frequent=frequent)

    def _reader(self, piece: CaptionPiece) -> CaptionReader:
        return next(reader for reader in self.readers if reader.path == piece.path)

    def _samples(
        self, record: CaptionRecord, reader: CaptionReader
    ) -> Iterator[MadeSample | Refused]:
        key = f"{stem_of(reader.path)}-{record.number:09d}"
        good: list[str] = []
        for text in usable_texts(record.texts, self.settings, self.frequent):
            if isinstance(text, Refused):
                yield text
            else:
                good.append(text)
        if not good:
            return
        images = self.settings.images
        folder = reader.folder if images is None else Path(images)
        content = content_of(record, folder, self.finder)
        image = content if isinstance(content, str) else self.load(content)
        if isinstance(image, str):
            yield refused("image", image, record.address or key)
            return
        provenance = {
            "source": reader.path or None,
            "row": record.number,
            "path": None if _is_long(record.address) else record.address or None,
            **record.fields,
        }
        if is_url(record.address):
            provenance["url"] = provenance.pop("path")
        yield from pair_samples(
            key,
            drawn(good, self.settings, key),
            image,
            provenance,
            self.settings,
            self.steps,
        )


def _is_long(address: str) -> bool:
    """Whether it is the image itself, or nothing that one could look for."""
    return address[:5].lower() == "data:" or len(address) > _MAX_ADDRESS
