"""How web pages become documents, as settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flamingo.data.collection.deduplication import DeduplicationSettings
from flamingo.data.collection.html import Profile
from flamingo.foundation.errors import ConfigError

NOWHERE = "???"
"""The place of the input, which a recipe cannot know."""


@dataclass(frozen=True)
class ImageSettings:
    """Where images are, and how they are written.

    Args:
        downloads: folder with what img2dataset, or `flamingo prepare` before, has downloaded.
        fetch: whether images that are nowhere else are fetched from their hosts.
        contact: an address or a URL by which hosts reach whoever fetches; needed to fetch.
        cache: folder of what was fetched; one in the target where None.
        longest_side: of a picture that is written, in pixels; smaller ones stay as they are.
        quality: of JPEG files, from 1 to 95.
    """

    downloads: str | None = None
    fetch: bool = False
    contact: str = ""
    cache: str | None = None
    longest_side: int = 512
    quality: int = 90

    def __post_init__(self) -> None:
        if self.longest_side < 16 or not 1 <= self.quality <= 95:
            raise ConfigError(
                f"images.longest_side is {self.longest_side} and images.quality {self.quality}; "
                "they must be 16 or more, and from 1 to 95."
            )
        if self.fetch and not self.contact:
            raise ConfigError(
                "images.fetch is on, but images.contact is empty: hosts must be able to reach "
                "whoever asks them.\nGive an address or a URL, images.contact=me@example.org."
            )


@dataclass(frozen=True)
class PageSettings:
    """How pages become documents.

    Args:
        source: a folder of HTML, a file of it, WARC files, a list of fetched pages as JSON lines,
            or an archive of pages; several with commas between them.
        format: of the files, where a folder has several: "html", "warc", "jsonl", "archive".
        reading: what of a page is kept: "main", or "obelics" by that corpus' rules.
        steps: "flamingo" (the paper's), "obelics", or a list of steps with their settings.
        changes: settings by name of a step, over those that `steps` says.
        images: where images are, and how they are written.
        deduplication: what of it goes that is there twice.
        benchmarks: images that no page should have, see `benchmark_images`.
        pages_per_piece: pages that are worked on together; what a kill can lose.
        samples_per_shard: documents of one shard.
    """

    source: str = NOWHERE
    format: str = "auto"
    reading: Profile = "main"
    steps: str | list[Any] = "flamingo"
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    images: ImageSettings = field(default_factory=ImageSettings)
    deduplication: DeduplicationSettings = field(default_factory=DeduplicationSettings)
    benchmarks: str | None = None
    pages_per_piece: int = 200
    samples_per_shard: int = 1000
