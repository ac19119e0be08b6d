"""Paragraphs that ask to share, to follow and to subscribe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flamingo.data.collection.pages import Outcome, Page, TextKind, TextNode
from flamingo.data.collection.steps.checks import check_named, check_share
from flamingo.data.collection.steps.removing import percent, without_texts
from flamingo.data.collection.steps.words import bare_words, share_in

_WORDS = (
    "access account blogger bloggers click comment contact content cookie cookies download "
    "facebook flickr follow instagram interested licensed like list loading log logged mailing "
    "might newsletter password pinterest policy post privacy reddit share sign sign-up subscribe "
    "terms tweet twitter website youtube"
)


@dataclass(frozen=True)
class SpamParagraphs:
    """Takes texts out of which a large share is words of buttons, cookie banners and sign-ups.

    Args:
        max_share: of words; a text that reaches it is out.
        words: in small letters.
        exempt: kinds of text that stay in any case.

    Raises:
        ConfigError: the share is not from 0 to 1, or there is no word.

    Source: the last cleaning of OBELICS, with its words and its share.
    """

    name: ClassVar[str] = "spam-paragraphs"
    source: ClassVar[str] = "OBELICS"
    needs_pixels: ClassVar[bool] = False

    max_share: float = 0.12
    words: tuple[str, ...] = tuple(_WORDS.split())
    exempt: tuple[TextKind, ...] = ("title", "heading")

    def __post_init__(self) -> None:
        check_share(self.name, max_share=self.max_share)
        check_named(self.name, words=self.words)

    def __call__(self, page: Page) -> Outcome:
        """The page without those texts."""
        return without_texts(page, self._reason_against, self.exempt)

    def _reason_against(self, text: TextNode) -> str | None:
        share = share_in(bare_words(text.text), self.words)
        if share < self.max_share:
            return None
        return f"{percent(share)} words of spam, less than {percent(self.max_share)}"
