"""Captions and their images in tars of WebDataset's layout, to be written anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flamingo.data.collection.made_samples import Refused, refused
from flamingo.data.collection.pairs.records import (
    CaptionFile,
    CaptionPiece,
    CaptionRecord,
    check_size,
    pieces_of,
)
from flamingo.data.collection.pairs.written_beside import caption_of
from flamingo.data.datasets.addresses import read_range
from flamingo.data.datasets.layouts import layout_of
from flamingo.data.datasets.members import sample_of_tar
from flamingo.data.datasets.raw_samples import BrokenSample, RawSample
from flamingo.foundation.errors import DataError

MAX_SAMPLE = 256 << 20
"""Bytes of a sample at most, with all of its members."""


@dataclass(frozen=True)
class TarCaptions(CaptionFile):
    """The samples of a tar: an image with a `txt` or a `json` beside it, as img2dataset writes.

    Args:
        endings: of the members that are media.
    """

    endings: tuple[str, ...]

    def pieces(self, size: int) -> Sequence[CaptionPiece]:
        """See `CaptionReader`; the entries of a piece are the places of its samples in the tar."""
        check_size(size)
        try:
            layout = layout_of(str(self.place))
        except DataError as error:
            raise DataError(f"{self.path}: {error}") from error
        starts = [int(start) for start in layout.starts]
        places: list[tuple[int, int, str | None]] = [
            (start, end, layout.faults[number].reason if number in layout.faults else None)
            for number, (start, end) in enumerate(pairwise(starts))
        ]
        return pieces_of(self.path, places, size)

    def records(self, piece: CaptionPiece) -> Iterator[CaptionRecord | Refused]:
        """See `CaptionReader`."""
        for position, (start, end, fault) in enumerate(piece.entries):
            number = piece.first + position
            where = f"{self.path}, sample {number + 1}"
            if fault is not None:
                yield refused("record", fault, where)
            elif end - start > MAX_SAMPLE:
                yield refused("record", f"it has more than {MAX_SAMPLE:,} bytes", where)
            else:
                try:
                    yield self._record(start, end, number)
                except (BrokenSample, OSError) as error:
                    yield refused("record", getattr(error, "reason", str(error)), where)

    def _record(self, start: int, end: int, number: int) -> CaptionRecord:
        address = str(self.place)
        raw = sample_of_tar(read_range(address, start, end), address, start)
        media = [name for name in raw.names if name in self.endings]
        if len(media) != 1:
            raise BrokenSample(
                f"it has {len(media)} members to look at: {', '.join(raw.names)}", raw.where
            )
        written: dict[str, bytes] = {
            name: raw.read(name) for name in ("txt", "json") if name in raw.names
        }
        texts, fields = caption_of(written, self.settings)
        return CaptionRecord(number, texts, _address(fields, raw), raw.read(media[0]), fields)


def _address(fields: Mapping[str, Any], raw: RawSample) -> str:
    url = fields.get("url")
    return url if isinstance(url, str) else raw.where.rpartition(": ")[2]
