"""How caption files and long videos become samples, as settings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from flamingo.data.collection.clips import ClipSettings
from flamingo.data.collection.deduplication import NO_DEDUPLICATION, DeduplicationSettings
from flamingo.data.collection.html import Profile
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
        steps: of pages that each pair has to pass, as a page of its text and its image: a list of
            them with their settings, such as `["explicit-images"]`.
        changes: settings by name of a step, over those that `steps` says.
        images: where images are, and how they are written.
        deduplication: what goes that is there twice, each pair being a page of its own.
        benchmarks: images that no pair should have, see `benchmark_images`.
        captions_per_piece: images that are worked on together.
        samples_per_shard: pairs of one shard.
    """

    source: str = NOWHERE
    pairs: PairSettings = field(default_factory=PairSettings)
    steps: str | list[Any] = field(default_factory=list)
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    images: ImageSettings = field(default_factory=ImageSettings)
    deduplication: DeduplicationSettings = PAIR_DEDUPLICATION
    benchmarks: str | None = None
    captions_per_piece: int = 1000
    samples_per_shard: int = 5000


@dataclass(frozen=True)
class PagePairsSettings:
    """How images of web pages become pairs with their alternative texts or captions.

    Args:
        source: pages, see `PageSettings`.
        format: of the files, see there.
        reading: what of a page is looked at, see there.
        pairs: which pairs are made; `pairs.page_texts` says of which texts.
        steps: of pages that each pair has to pass, see `PairsSettings`.
        changes: settings by name of a step, over those that `steps` says.
        images: where images are, and how they are written.
        deduplication: what goes that is there twice, each pair being a page of its own.
        benchmarks: images that no pair should have, see `benchmark_images`.
        pages_per_piece: pages that are worked on together.
        samples_per_shard: pairs of one shard.
    """

    source: str = NOWHERE
    format: str = "auto"
    reading: Profile = "main"
    pairs: PairSettings = field(default_factory=PairSettings)
    steps: str | list[Any] = field(default_factory=list)
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    images: ImageSettings = field(default_factory=ImageSettings)
    deduplication: DeduplicationSettings = PAIR_DEDUPLICATION
    benchmarks: str | None = None
    pages_per_piece: int = 200
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
