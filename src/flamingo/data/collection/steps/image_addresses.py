"""Images whose addresses say what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import unquote

from flamingo.data.collection.pages import ImageNode, Outcome, Page
from flamingo.data.collection.steps.checks import check_named
from flamingo.data.collection.steps.removing import without_images

_ENDINGS = (
    "apng avif bmp cur gif heic heif ico jfif jp2 jpe jpeg jpg jxl pdf png ppm psd svg svgz tga "
    "tif tiff webp wmf xbm"
)
_FORMATS = frozenset(_ENDINGS.split())

_MOST_CHARACTERS = 4096
"""No server takes a longer address; data: URLs are longer, and are cut to their beginning."""


@dataclass(frozen=True)
class ImageAddress:
    """Takes images out whose address has one of some words in it, in small or capital letters.

    A word counts in any place: "icon" in "lexicon" too. data: URLs have no words, and stay.

    Args:
        words: what must not be there.

    Raises:
        ConfigError: there is no word, or an empty one.

    Source: MMC4.
    """

    name: ClassVar[str] = "image-address"
    source: ClassVar[str] = "MMC4"
    needs_pixels: ClassVar[bool] = False

    words: tuple[str, ...] = ("logo", "button", "icon", "plugin", "widget")

    def __post_init__(self) -> None:
        check_named(self.name, words=self.words)

    def __call__(self, page: Page) -> Outcome:
        """The page without those images."""
        return without_images(page, self._reason_against)

    def _reason_against(self, node: ImageNode) -> str | None:
        address = node.address[:_MOST_CHARACTERS].lower()
        if address.startswith("data:"):
            return None
        word = next((word for word in self.words if word.lower() in address), None)
        return None if word is None else f"the address has {word} in it"


@dataclass(frozen=True)
class ImageFormat:
    """Takes images out whose address says that they are of another format, before they are read.

    An address without an ending stays, and so does one with an ending that is no format of images
    (such as "php"): what they hold is seen when they are read.

    Args:
        formats: endings of those that are wanted; of a data: URL, the name after "image/".

    Raises:
        ConfigError: there is no format, or an empty one.

    Source: OBELICS, which looks at the files themselves.
    """

    name: ClassVar[str] = "image-format"
    source: ClassVar[str] = "OBELICS"
    needs_pixels: ClassVar[bool] = False

    formats: tuple[str, ...] = ("jpg", "jpeg", "png", "webp")

    def __post_init__(self) -> None:
        check_named(self.name, formats=self.formats)

    def __call__(self, page: Page) -> Outcome:
        """The page without those images."""
        return without_images(page, self._reason_against)

    def _reason_against(self, node: ImageNode) -> str | None:
        ending = format_in(node.address)
        if ending is None or ending in self.formats:
            return None
        return f"format {ending}, wanted {', '.join(self.formats)}"


def format_in(address: str) -> str | None:
    """The format of images that an address or a data: URL names, in small letters; None if none."""
    address = address[:_MOST_CHARACTERS].strip().lower()
    if address.startswith("data:"):
        kind = address[len("data:") :].partition(",")[0].partition(";")[0]
        ending = kind.removeprefix("image/").partition("+")[0].removeprefix("x-")
    else:
        path = unquote(address.partition("#")[0].partition("?")[0])
        _, dot, ending = path.rpartition("/")[2].rpartition(".")
        ending = ending if dot else ""
    return ending if ending in _FORMATS else None
