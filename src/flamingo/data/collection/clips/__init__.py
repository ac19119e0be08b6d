"""Clips with texts: cut out of long videos by their captions."""

from flamingo.data.collection.clips.settings import ClipSettings
from flamingo.data.collection.clips.source import ClipSource

__all__ = ["ClipSettings", "ClipSource"]
