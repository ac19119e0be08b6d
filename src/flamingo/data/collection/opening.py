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
from flamingo.data.collection.made_collector import MadeCollector, SourceOfPairs
from flamingo.data.collection.made_settings import (
    ClipsSettings,
    PagePairsSettings,
    PairsSettings,
    SettingsOfPairs,
)
from flamingo.data.collection.named_paths import named_paths
from flamingo.data.collection.page_collector import PageCollector
from flamingo.data.collection.page_settings import NOWHERE, ImageSettings, PageSettings
from flamingo.data.collection.pairs import PagePairSource, PairSource, frequent_texts
from flamingo.data.collection.pairs.making import ImageLoader
from flamingo.data.collection.pieces import Collector
from flamingo.data.collection.sources import PageSource, open_source
from flamingo.data.collection.steps.profiles import steps_of
from flamingo.foundation.errors import ConfigError

Settings: TypeAlias = PageSettings | PairsSettings | PagePairsSettings | ClipsSettings

KINDS: dict[type[Settings], str] = {
    PageSettings: "pages",
    PairsSettings: "pairs",
    PagePairsSettings: "pairs",
    ClipsSettings: "videos",
}
"""What `DatasetConfig` calls the samples of each."""

WORK = "work"
"""Folder in the target for what is found out about the input once."""


def collector_of(settings: Settings, out: Path, engine: Engine) -> Collector:
    """What does the work that the settings describe.

    Args:
        settings: of one of the kinds.
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
        source = _captions(settings, out / WORK)
        return _pairs(source, settings.captions_per_piece, settings, out / WORK, engine)
    if isinstance(settings, PagePairsSettings):
        alt_texts = _alt_texts(settings, out / WORK)
        return _pairs(alt_texts, settings.pages_per_piece, settings, out / WORK, engine)
    return MadeCollector(
        ClipSource.open(settings.source, settings.clips), settings.videos_per_piece
    )


def _pages(settings: PageSettings, work: Path) -> PageCollector:
    steps = steps_of(settings.steps, settings.changes)
    further = _further_images(settings.images, work)
    return PageCollector(_web_pages(settings, work), further, steps, settings, work)


def _web_pages(settings: PageSettings | PagePairsSettings, work: Path) -> PageSource:
    paths = named_paths(settings.source)
    return open_source(paths[0] if len(paths) == 1 else paths, kind=settings.format, work=work)


def _captions(settings: PairsSettings, work: Path) -> PairSource:
    return PairSource.open(
        settings.source,
        settings.pairs,
        load=_load(settings.images),
        finder=FirstOf((DataUrls(), *_further_images(settings.images, work))),
        steps=steps_of(settings.steps, settings.changes),
    )


def _alt_texts(settings: PagePairsSettings, work: Path) -> PagePairSource:
    return PagePairSource(
        _web_pages(settings, work),
        settings.pairs,
        settings.reading,
        _load(settings.images),
        _further_images(settings.images, work),
        steps_of(settings.steps, settings.changes),
    )


def _load(images: ImageSettings) -> ImageLoader:
    return partial(load_image, longest_side=images.longest_side, quality=images.quality)


def _pairs(
    source: SourceOfPairs,
    size: int,
    settings: SettingsOfPairs,
    work: Path,
    engine: Engine,
) -> MadeCollector:
    """A source that knows which texts are too frequent."""
    counts = (count for _, count in engine.run(source.count_texts, source.pieces(size)))
    source = source.without(frequent_texts(counts, settings.pairs.max_same_text))
    return MadeCollector(source, size, settings.deduplication, settings.benchmarks, work)


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
