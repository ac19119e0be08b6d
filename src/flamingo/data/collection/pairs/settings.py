"""What decides which pairs are made of a source."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from flamingo.foundation.errors import ConfigError, nearest

PageTexts = Literal["alt", "caption", "either", "both"]
"""Which text of a page's image makes a pair: its alternative text; the caption below it; the first
of the two that can be used; each of them that can be used."""

SeveralTexts = Literal["all", "one"]
"""Of several captions of one image: a sample for each, or for one that is drawn."""

Format = Literal["tars", "table", "lines", "parquet", "coco", "folder"]
"""How captions are stored."""

CHECKS = ("words", "letters", "markup", "file-name", "generic", "address", "language")
"""The names of all checks of texts, in the order in which they are made."""

FIELDS = ("url", "page", "license", "title", "author", "language", "similarity", "punsafe", "nsfw")
"""Columns whose values a sample keeps, where there are such."""


@dataclass(frozen=True)
class Columns:
    """Which columns of a table, or fields of an object, are what; numbers begin at 0.

    Attributes:
        media: holds the path or the URL of the image or video, or the bytes of the image; found by
            its usual names if not given.
        text: holds the caption, or a list of captions; found likewise.
        has_header: whether the first row of a CSV or TSV file names the columns; found out if not
            given.
        delimiter: between the cells of a CSV or TSV file; tells the ending if not given.
        is_quoted: whether cells of a CSV or TSV file may stand in quotation marks; in `.csv` they
            may, in `.tsv` not, if not given.
        kept: further columns that a sample's JSON is to keep, beside `FIELDS`.
    """

    media: str | int | None = None
    text: str | int | None = None
    has_header: bool | None = None
    delimiter: str | None = None
    is_quoted: bool | None = None
    kept: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("media", "text"):
            value = getattr(self, name)
            if isinstance(value, int) and value < 0:
                raise ConfigError(f"the column {name}={value} is impossible.\nThe first one is 0.")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '\r\n"'):
            raise ConfigError(
                f"delimiter={self.delimiter!r} is impossible.\nGive one character, such as ';'."
            )


@dataclass(frozen=True)
class PairSettings:
    """What decides which pairs are made of a source.

    Attributes:
        format: how captions are stored; found out if not given.
        columns: which columns of the caption files are what.
        images: the folder that paths of images start from; the caption file's own if not given.
            No path leads out of it.
        page_texts: which text of a page's image makes a pair.
        captions: what is made of an image with several captions.
        checks: of the texts; see `CHECKS`.
        min_words: of a text. ALIGN has 3.
        max_words: of a text. ALIGN has 20; captions of the paper's LTIP are longer than that.
        min_letters: share of letters among what is no white space.
        language: that texts must be in, such as "en"; None takes all.
        min_side: pixels of an image, before it was made smaller. The paper has 64 for pages, ALIGN
            200.
        max_aspect: longer side by shorter side. The paper and ALIGN have 3.
        remove_dates: whether dates are taken out of texts.
        remove_places: whether places are taken out of texts, where it is plain that they are such.
        max_same_text: a text that more images have is no description of any of them. ALIGN has 10;
            `PairSource.without` drops what is above.
        seed: decides which caption is drawn.

    Raises:
        ConfigError: a setting is out of range.

    Paper: Sec. 3.1, App. A.3 (ALIGN, LTIP).
    """

    format: Format | None = None
    columns: Columns = field(default_factory=Columns)
    images: str | None = None
    page_texts: PageTexts = "alt"
    captions: SeveralTexts = "all"
    checks: tuple[str, ...] = CHECKS
    min_words: int = 3
    max_words: int = 128
    min_letters: float = 0.5
    language: str | None = "en"
    min_side: int = 64
    max_aspect: float = 3.0
    remove_dates: bool = False
    remove_places: bool = False
    max_same_text: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        for name in self.checks:
            if name not in CHECKS:
                raise ConfigError(f"There is no check {name!r} of texts. {nearest(name, CHECKS)}")
        for name, low in (("min_words", 0), ("min_side", 1), ("max_same_text", 1)):
            if getattr(self, name) < low:
                raise ConfigError(
                    f"{name}={getattr(self, name)} is impossible.\nIt must be {low} or more."
                )
        if self.max_words < max(1, self.min_words):
            raise ConfigError(
                f"max_words={self.max_words} is impossible with min_words={self.min_words}.\n"
                "It must be as large at least, and 1 or more."
            )
        if not 0 <= self.min_letters <= 1:
            raise ConfigError(
                f"min_letters={self.min_letters} is impossible.\nIt must lie between 0 and 1."
            )
        if not (math.isfinite(self.max_aspect) and self.max_aspect >= 1):
            raise ConfigError(f"max_aspect={self.max_aspect} is impossible.\nIt must be 1 or more.")
