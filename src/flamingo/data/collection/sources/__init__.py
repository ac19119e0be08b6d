"""Where pages come from: folders of HTML, web archives, lists of pages, tars and zips."""

from flamingo.data.collection.sources.opening import KINDS, open_source
from flamingo.data.collection.sources.source import PageSource, Piece

__all__ = ["KINDS", "PageSource", "Piece", "open_source"]
