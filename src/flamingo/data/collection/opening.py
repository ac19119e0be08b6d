"""From settings to what does the work: sources are opened, finders of images are put in a row."""

from __future__ import annotations

from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

from flamingo.data.collection.clips import ClipSource
from flamingo.data.collection.engines import Engine
from flamingo.data.collection.extras import needs_crawl
from flamingo.data.collection.images import DataUrls, FirstOf, ImageFinder, load_image
from flamingo.data.collection.images.downloaded import DownloadedImages
from flamingo.data.collection.images.fetching import FetchedImages, PoliteFetcher, Politeness
from flamingo.data.collection.made_collector import MadeCollector
from flamingo.data.collection.made_settings import ClipsSettings, PairsSettings
from flamingo.data.collection.page_collector import PageCollector
from flamingo.data.collection.page_settings import NOWHERE, ImageSettings, PageSettings
from flamingo.data.collection.pairs import PairSource, frequent_texts
from flamingo.data.collection.pieces import Collector
from flamingo.data.collection.sources import open_source
from flamingo.data.collection.steps.profiles import steps_of
from flamingo.foundation.errors import ConfigError

Settings: TypeAlias = PageSettings | PairsSettings | ClipsSettings

KINDS: dict[type[Settings], str] = {
    PageSettings: "pages",
    PairsSettings: "pairs",
    ClipsSettings: "videos",
}
"""What `DatasetConfig` calls the samples of each."""

WORK = "work"
"""Folder in the target for what is found out about the input once."""


def collector_of(settings: Settings, out: Path, engine: Engine) -> Collector:
    """What does the work that the settings describe.

    Args:
        settings: of one of the three kinds.
        out: the target.
        engine: counts texts of pairs before any pair is made.

    Raises:
        ConfigError: the input is not named, or a setting is impossible; or a library is missing.
        DataError: there is no such input.
    """
    needs_crawl()
    if settings.source == NOWHERE:
        raise ConfigError("The input is not named.\nSay where it is: source=FOLDER.")
    if isinstance(settings, PageSettings):
        return _pages(settings, out / WORK)
    if isinstance(settings, PairsSettings):
        return _pairs(settings, out / WORK, engine)
    return MadeCollector(
        ClipSource.open(settings.source, settings.clips), settings.videos_per_piece
    )


def _pages(settings: PageSettings, work: Path) -> PageCollector:
    paths = [Path(one.strip()).expanduser() for one in settings.source.split(",") if one.strip()]
    source = open_source(paths[0] if len(paths) == 1 else paths, kind=settings.format, work=work)
    steps = steps_of(settings.steps, settings.changes)
    return PageCollector(source, _further_images(settings.images, work), steps, settings)


def _pairs(settings: PairsSettings, work: Path, engine: Engine) -> MadeCollector:
    images = settings.images
    source = PairSource.open(
        settings.source,
        settings.pairs,
        load=partial(load_image, longest_side=images.longest_side, quality=images.quality),
        finder=FirstOf((DataUrls(), *_further_images(images, work))),
    )
    pieces = source.pieces(settings.captions_per_piece)
    counts = (count for _, count in engine.run(source.count_texts, pieces))
    source = source.without(frequent_texts(counts, settings.pairs.max_same_text))
    return MadeCollector(
        source, settings.captions_per_piece, settings.deduplication, settings.benchmarks
    )


def _further_images(settings: ImageSettings, work: Path) -> tuple[ImageFinder, ...]:
    """Where images are looked for that are neither in a page nor beside it: last of all on the web.

    Raises:
        DataError: a folder that is named is not there.
    """
    finders: list[ImageFinder] = []
    if settings.downloads is not None:
        finders.append(DownloadedImages(Path(settings.downloads).expanduser(), work))
    if settings.fetch:
        agent = f"flamingo-vlm/{metadata.version('flamingo-vlm')} ({settings.contact})"
        folder = Path(settings.cache or work / "fetched").expanduser()
        finders.append(FetchedImages(PoliteFetcher(folder, Politeness(agent))))
    return tuple(finders)
