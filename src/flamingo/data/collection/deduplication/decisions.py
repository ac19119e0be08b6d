"""What was decided about each page, image and text, by piece and number in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from flamingo.data.collection.deduplication.benchmark_images import BenchmarkImages
from flamingo.data.collection.deduplication.corpus import Corpus, Place
from flamingo.data.collection.deduplication.groups import Found
from flamingo.data.collection.deduplication.settings import DeduplicationSettings
from flamingo.data.collection.pages import ImageNode, Node, Outcome, Page, Removal, What

RULES: Mapping[str, What] = {
    "same-address": "page",
    "same-text": "page",
    "near-text": "page",
    "frequent-address": "image",
    "frequent-image": "image",
    "same-images": "page",
    "benchmark-image": "image",
    "same-in-page": "image",
    "near-in-page": "image",
    "near-in-corpus": "image",
    "repeated-paragraph": "text",
}
"""Every rule, in the order in which they are applied, and what it takes out."""

_LONGEST_EXAMPLE = 200


@dataclass(frozen=True)
class Reason:
    """Why something is out.

    Attributes:
        rule: one of `RULES`.
        text: with the number that decided.
    """

    rule: str
    text: str


@dataclass(frozen=True)
class PageDecision:
    """What is out of a page.

    Attributes:
        out: why the page is out as a whole; None if it stays.
        images: why those images are out that are, by their number in `Page.images`.
        texts: the same for texts, by their number in `Page.texts`.
    """

    out: Reason | None = None
    images: Mapping[int, Reason] = field(default_factory=dict)
    texts: Mapping[int, Reason] = field(default_factory=dict)

    def apply(self, page: Page) -> Outcome:
        """What is left of the page that was decided about."""
        if self.out is not None:
            return Outcome(None, (Removal("page", _told(self.out), page.address),))
        nodes: list[Node] = []
        removals: list[Removal] = []
        images, texts = count(), count()
        for node in page.nodes:
            what: What
            if isinstance(node, ImageNode):
                what, reason, example = "image", self.images.get(next(images)), node.address
            else:
                what, reason, example = "text", self.texts.get(next(texts)), node.text
            if reason is None:
                nodes.append(node)
            else:
                removals.append(Removal(what, _told(reason), example[:_LONGEST_EXAMPLE]))
        return Outcome(page.with_nodes(tuple(nodes)), tuple(removals))


NOTHING_OUT = PageDecision()


@dataclass(frozen=True)
class PieceDecision:
    """What is out of the pages of a piece; small, and can be pickled.

    Attributes:
        pages: of which something is out, by their number in the piece.
    """

    pages: Mapping[int, PageDecision]

    def page(self, number: int) -> PageDecision:
        """About a page."""
        return self.pages.get(number, NOTHING_OUT)


@dataclass(frozen=True, eq=False)
class Decisions:
    """What was decided about a corpus.

    Attributes:
        corpus: that it is about.
        settings: by which it was decided.
        benchmarks: that images were compared with, if any.
        found: by rule, also by those that are only to report.
    """

    corpus: Corpus
    settings: DeduplicationSettings
    benchmarks: BenchmarkImages | None
    found: Mapping[str, Found]

    def removes(self, rule: str) -> bool:
        """Whether what a rule finds is out, and not only told."""
        handlings = {
            "benchmark-image": self.settings.benchmark_images,
            "near-in-page": self.settings.near_in_page,
            "near-in-corpus": self.settings.near_in_corpus,
        }
        return handlings.get(rule, "remove") == "remove"

    def of(self, piece: int) -> PieceDecision:
        """About the pages of a piece, by its number."""
        out: dict[int, Reason] = {}
        parts: dict[What, dict[int, dict[int, Reason]]] = {"image": {}, "text": {}}
        for rule, found in self.found.items():
            if not self.removes(rule):
                continue
            here = found.between(*self._rows(RULES[rule], piece))
            for row, like, score in zip(here.rows, here.likes, here.scores, strict=True):
                reason = Reason(rule, self._text(rule, int(like), float(score)))
                place = self.place(rule, int(row))
                if RULES[rule] == "page":
                    out[place.page] = reason
                else:
                    own = parts[RULES[rule]].setdefault(place.page, {})
                    own[place.part] = reason
        touched = sorted(out.keys() | parts["image"].keys() | parts["text"].keys())
        return PieceDecision(
            {
                number: PageDecision(out[number])
                if number in out
                else PageDecision(
                    None, parts["image"].get(number, {}), parts["text"].get(number, {})
                )
                for number in touched
            }
        )

    def place(self, rule: str, row: int) -> Place:
        """Where something is that a rule has found."""
        if RULES[rule] == "page":
            return self.corpus.place_of_page(row)
        if RULES[rule] == "image":
            return self.corpus.place_of_image(row)
        return self.corpus.place_of_text(row)

    def _rows(self, what: What, piece: int) -> tuple[int, int]:
        start, end = self.corpus.page_starts[piece : piece + 2].tolist()
        if what == "page":
            return start, end
        starts = self.corpus.image_starts if what == "image" else self.corpus.text_starts
        return int(starts[start]), int(starts[end])

    def _text(self, rule: str, like: int, score: float) -> str:
        settings = self.settings
        if rule == "frequent-address":
            return f"its address is used {score:.0f} times, at most {settings.max_uses_of_address}"
        if rule == "frequent-image":
            return f"it is on {score:.0f} pages, at most {settings.max_pages_of_image}"
        if rule == "repeated-paragraph":
            most = settings.max_pages_of_paragraph
            return f"it is on {score:.0f} pages of its domain, at most {most}"
        if rule == "benchmark-image":
            assert self.benchmarks is not None
            return f"{score:.0f} bits from {self.benchmarks.name(like)}"
        place = self.place(rule, like)
        address = self.corpus.address(place)
        return {
            "same-address": f"the same address as a later page, or an equally late one: {address}",
            "same-text": f"the same text as {address}",
            "near-text": f"similarity {score:.2f}, at least {settings.near_text}, to {address}",
            "same-images": f"the same images as {address}",
            "same-in-page": f"the same as image {place.part} of its page",
            "near-in-page": f"{score:.0f} bits from image {place.part} of its page",
            "near-in-corpus": f"{score:.0f} bits from image {place.part} of {address}",
        }[rule]


def _told(reason: Reason) -> str:
    return f"{reason.rule}: {reason.text}"
