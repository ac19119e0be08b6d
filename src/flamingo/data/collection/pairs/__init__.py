"""Pairs of an image and a text: alternative texts of pages, and files of captions."""

from flamingo.data.collection.pairs.frequency import frequent_texts, text_hash
from flamingo.data.collection.pairs.of_pages import pairs_of_page, texts_of_page
from flamingo.data.collection.pairs.page_source import PagePairSource
from flamingo.data.collection.pairs.settings import Columns, PairSettings
from flamingo.data.collection.pairs.source import PairSource

__all__ = [
    "Columns",
    "PagePairSource",
    "PairSettings",
    "PairSource",
    "frequent_texts",
    "pairs_of_page",
    "text_hash",
    "texts_of_page",
]
