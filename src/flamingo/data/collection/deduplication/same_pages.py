"""Pages that are there again: at the same address, with the same text, with the same images."""

from __future__ import annotations

import numpy as np

from flamingo.data.collection.deduplication.corpus import Corpus
from flamingo.data.collection.deduplication.groups import Found, Rows, all_but_best, found_of
from flamingo.data.collection.deduplication.shingles import mixed


def same_address(corpus: Corpus, pages: Rows) -> Found:
    """Pages of which there is a later one with the same URL, or as late a one before it."""
    urls = corpus.pages("url")[pages]
    pages, urls = pages[urls != 0], urls[urls != 0]
    worse, best = all_but_best(urls, -corpus.pages("moment")[pages])
    return found_of(pages[worse], pages[best])


def same_text(corpus: Corpus, pages: Rows, min_words: int) -> Found:
    """Pages of which there is one before with the same text, to the letter."""
    pages = with_words(corpus, pages, min_words)
    worse, best = all_but_best(corpus.pages("whole_text")[pages])
    return found_of(pages[worse], pages[best])


def same_images(corpus: Corpus, images: Rows) -> Found:
    """Pages of which there is a later one with the same set of images, or as late a one before it.

    Images are the same if their pixels are, or where they were not read, if their addresses are.
    Pages without images are in no set.

    Args:
        corpus: of the pages.
        images: that count.
    """
    pages = corpus.pages_of_images()[images]
    pixels = corpus.images("pixels")[images]
    names = np.where(pixels != 0, pixels, corpus.images("sources")[images])
    order = np.lexsort((names, pages))
    pages, names = pages[order], names[order]
    is_new = np.append(True, (pages[1:] != pages[:-1]) | (names[1:] != names[:-1]))[: len(pages)]
    pages, names = pages[is_new], names[is_new]
    if len(pages) == 0:
        return found_of(pages, pages)
    starts = np.flatnonzero(np.append(True, pages[1:] != pages[:-1]))
    sets = np.add.reduceat(mixed(names), starts)
    owners = pages[starts]
    worse, best = all_but_best(sets, -corpus.pages("moment")[owners])
    return found_of(owners[worse], owners[best])


def with_words(corpus: Corpus, pages: Rows, min_words: int) -> Rows:
    """The pages that have a text long enough to be compared."""
    return pages[corpus.pages("num_words")[pages] >= max(1, min_words)]
