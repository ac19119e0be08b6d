"""Fetches images from the web, politely and within bounds; nothing here runs unless asked to."""

from flamingo.data.collection.images.fetching.fetcher import (
    Fetched,
    FetchedImages,
    PoliteFetcher,
)
from flamingo.data.collection.images.fetching.politeness import Politeness

__all__ = ["Fetched", "FetchedImages", "PoliteFetcher", "Politeness"]
