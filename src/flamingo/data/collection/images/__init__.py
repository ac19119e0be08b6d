"""The images of pages: found beside them, fetched politely if asked to, read and written anew."""

from flamingo.data.collection.images.finders import (
    ArchiveImages,
    DataUrls,
    FirstOf,
    FolderImages,
    ImageFinder,
)
from flamingo.data.collection.images.loading import decoding_work, load_image
from flamingo.data.collection.images.standard import images_of

__all__ = [
    "ArchiveImages",
    "DataUrls",
    "FirstOf",
    "FolderImages",
    "ImageFinder",
    "decoding_work",
    "images_of",
    "load_image",
]
