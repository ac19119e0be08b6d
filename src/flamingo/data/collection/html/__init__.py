"""From the bytes of a web page to its own texts and images, in reading order."""

from flamingo.data.collection.html.reading import read_page
from flamingo.data.collection.html.tags import Profile

__all__ = ["Profile", "read_page"]
