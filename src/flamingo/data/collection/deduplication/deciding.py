"""Decides what of a corpus is there twice, or too often.

Memory, in bytes, beside the files of signatures, which are mapped and not read: 5 for each page, 1
for each image and 20 for each thing found all the time; and one rule after the other

    80 for each page, and 72 for each band that it shares with another page,
    115 for each image, or
    110 for each text of a round of 16 million.

The files have about 650 bytes for each page, 25 for each image and 8 for each text. So the paper's
M3W, 43.3 million pages with 185 million images and perhaps 20 texts a page, would be 40 GB of files
and need 22 GB of memory, and what is found: one machine. (The numbers were measured with 300,000
pages; M3W itself was not.) The parts that take longest can be spread over several machines, as each
is found without the others: the buckets of a band of MinHashes, the near pairs of a choice of parts
of the perceptual hashes, and the paragraphs of a round of domains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from flamingo.data.collection.deduplication.benchmark_images import BenchmarkImages
from flamingo.data.collection.deduplication.corpus import Corpus
from flamingo.data.collection.deduplication.decisions import RULES, Decisions
from flamingo.data.collection.deduplication.groups import Found, Rows
from flamingo.data.collection.deduplication.image_rules import (
    benchmark_images,
    frequent_addresses,
    frequent_images,
    near_in_corpus,
    near_in_page,
    same_in_page,
)
from flamingo.data.collection.deduplication.near_texts import near_texts
from flamingo.data.collection.deduplication.repeated_paragraphs import repeated_paragraphs
from flamingo.data.collection.deduplication.same_pages import (
    same_address,
    same_images,
    same_text,
    with_words,
)
from flamingo.data.collection.deduplication.settings import DeduplicationSettings
from flamingo.data.collection.deduplication.tables import SignatureTable

Rule = Callable[[], Found]


def decide(
    tables: Iterable[SignatureTable],
    settings: DeduplicationSettings | None = None,
    benchmarks: BenchmarkImages | None = None,
) -> Decisions:
    """Applies every rule of the settings, in the order of `RULES`.

    Where a rule says "first", it means the order of the pieces and of the pages in them. So what
    is decided hangs on neither the processes that made the signatures nor their order in time.

    Args:
        tables: the signatures of each piece, in the order of the pieces.
        settings: which rules; the default ones where None.
        benchmarks: images that the corpus should not have; without them their rule is off.
    """
    settings = settings or DeduplicationSettings()
    corpus = Corpus(tables)
    left = _Left(corpus)
    decisions = Decisions(corpus, settings, benchmarks, {})
    found = {}
    for name, rule in _rules(corpus, left, settings, benchmarks).items():
        found[name] = rule()
        if decisions.removes(name):
            left.remove(name, found[name])
    return Decisions(corpus, settings, benchmarks, found)


class _Left:
    """What no rule has removed yet."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self.has_page = np.ones(corpus.num_pages, np.bool_)
        self._has_image = np.ones(int(corpus.image_starts[-1]), np.bool_)

    @property
    def pages(self) -> Rows:
        """Their rows."""
        return np.flatnonzero(self.has_page)

    @property
    def images(self) -> Rows:
        """The rows of those whose pages are left too."""
        is_here = np.repeat(self.has_page, np.diff(self._corpus.image_starts))
        return np.flatnonzero(is_here & self._has_image)

    def remove(self, rule: str, found: Found) -> None:
        """Removes what a rule has found; texts are looked at by one rule only, the last."""
        if RULES[rule] == "page":
            self.has_page[found.rows] = False
        elif RULES[rule] == "image":
            self._has_image[found.rows] = False


def _rules(
    corpus: Corpus,
    left: _Left,
    settings: DeduplicationSettings,
    benchmarks: BenchmarkImages | None,
) -> dict[str, Rule]:
    """The rules that are on, in order; each looks at what is left when it is called."""
    rules: dict[str, Rule] = {}
    if settings.same_address:
        rules["same-address"] = lambda: same_address(corpus, left.pages)
    if settings.same_text:
        rules["same-text"] = lambda: same_text(corpus, left.pages, settings.min_words)
    if (threshold := settings.near_text) is not None:
        rules["near-text"] = lambda: near_texts(
            corpus, with_words(corpus, left.pages, settings.min_words), threshold
        )
    if (max_uses := settings.max_uses_of_address) is not None:
        rules["frequent-address"] = lambda: frequent_addresses(corpus, left.images, max_uses)
    if (max_pages := settings.max_pages_of_image) is not None:
        rules["frequent-image"] = lambda: frequent_images(corpus, left.images, max_pages)
    if settings.same_images:
        rules["same-images"] = lambda: same_images(corpus, left.images)
    if benchmarks is not None and settings.benchmark_images != "off":
        rules["benchmark-image"] = lambda: benchmark_images(
            corpus, left.images, benchmarks, settings.benchmark_bits
        )
    if settings.same_in_page:
        rules["same-in-page"] = lambda: same_in_page(corpus, left.images)
    if settings.near_in_page != "off":
        rules["near-in-page"] = lambda: near_in_page(corpus, left.images, settings.image_bits)
    if settings.near_in_corpus != "off":
        rules["near-in-corpus"] = lambda: near_in_corpus(corpus, left.images, settings.image_bits)
    if (most := settings.max_pages_of_paragraph) is not None:
        rules["repeated-paragraph"] = lambda: repeated_paragraphs(corpus, left.has_page, most)
    return rules
