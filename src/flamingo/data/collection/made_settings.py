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
class SettingsOfPairs:
    """What all kinds of pairs have in common.

    Args:
        source: where the input is.
        pairs: which pairs are made.
        steps: of pages that each pair has to pass, as a page of its text and its image: a list of
            them with their settings, such as `["explicit-images"]`.
        changes: settings by name of a step, over those that `steps` says.
        images: where images are, and how they are written.
        deduplication: what goes that is there twice, each pair being a page of its own.
        benchmarks: images that no pair should have, see `benchmark_images`.
        samples_per_shard: pairs of one shard.
    """

    source: str = NOWHERE
    pairs: PairSettings = field(default_factory=PairSettings)
    steps: str | list[Any] = field(default_factory=list)
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    images: ImageSettings = field(default_factory=ImageSettings)
    deduplication: DeduplicationSettings = PAIR_DEDUPLICATION
    benchmarks: str | None = None
    samples_per_shard: int = 5000


@dataclass(frozen=True)
class PairsSettings(SettingsOfPairs):
    """How files of captions become pairs: `source` is a file of captions, a pattern or a folder.

    Args:
        captions_per_piece: images that are worked on together.
    """

    captions_per_piece: int = 1000


@dataclass(frozen=True)
class PagePairsSettings(SettingsOfPairs):
    """How images of web pages become pairs with their alternative texts or captions.

    `pairs.page_texts` says with which of these; `source` is as in `PageSettings`.

    Args:
        format: of the files, see `PageSettings`.
        reading: what of a page is looked at, see there.
        pages_per_piece: pages that are worked on together.
    """

    format: str = "auto"
    reading: Profile = "main"
    pages_per_piece: int = 200


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
