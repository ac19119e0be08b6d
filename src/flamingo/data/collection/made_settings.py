"""How caption files and long videos become samples, as settings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from flamingo.data.collection.clips import ClipSettings
from flamingo.data.collection.deduplication import NO_DEDUPLICATION, DeduplicationSettings
from flamingo.data.collection.page_settings import NOWHERE, ImageSettings
from flamingo.data.collection.pairs import PairSettings

PAIR_DEDUPLICATION = replace(NO_DEDUPLICATION, benchmark_images="remove")
"""As in the paper: pairs are held against benchmarks, and not against each other (Sec. 3)."""


@dataclass(frozen=True)
class PairsSettings:
    """How files of captions become pairs.

    Args:
        source: a file of captions, a pattern or a folder.
        pairs: which pairs are made.
        images: where images are, and how they are written.
        deduplication: what goes that is there twice, each pair being a page of its own.
        benchmarks: file of images that no pair should have, see `BenchmarkImages`.
        captions_per_piece: images that are worked on together.
        samples_per_shard: pairs of one shard.
    """

    source: str = NOWHERE
    pairs: PairSettings = field(default_factory=PairSettings)
    images: ImageSettings = field(default_factory=ImageSettings)
    deduplication: DeduplicationSettings = PAIR_DEDUPLICATION
    benchmarks: str | None = None
    captions_per_piece: int = 1000
    samples_per_shard: int = 5000


@dataclass(frozen=True)
class ClipsSettings:
    """How videos become clips with texts.

    Args:
        source: a video, a pattern or a folder of videos, or a table of them.
        clips: which clips are made.
        videos_per_piece: videos that are worked on together.
        samples_per_shard: clips of one shard.
    """

    source: str = NOWHERE
    clips: ClipSettings = field(default_factory=ClipSettings)
    videos_per_piece: int = 4
    samples_per_shard: int = 500
