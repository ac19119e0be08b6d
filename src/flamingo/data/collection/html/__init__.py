"""From the bytes of a web page to its own texts and images, in reading order."""

from flamingo.data.collection.html.reading import read_page

__all__ = ["read_page"]
