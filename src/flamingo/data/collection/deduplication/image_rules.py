"""Images that are there too often, that a benchmark has, or that look like another."""

from __future__ import annotations

import numpy as np

from flamingo.data.collection.deduplication.benchmark_images import BenchmarkImages
from flamingo.data.collection.deduplication.corpus import Corpus
from flamingo.data.collection.deduplication.groups import (
    Found,
    Keys,
    Rows,
    all_but_best,
    found_of,
    sizes,
)
from flamingo.data.collection.deduplication.near_images import leaders
from flamingo.data.collection.deduplication.shingles import mixed
from flamingo.data.near_pairs import near_between


def frequent_addresses(corpus: Corpus, images: Rows, max_uses: int) -> Found:
    """Images whose address is used more often, by one page or by many."""
    counts, firsts = sizes(corpus.images("sources")[images])
    many = counts > max_uses
    return found_of(images[many], images[firsts[many]], counts[many])


def frequent_images(corpus: Corpus, images: Rows, max_pages: int) -> Found:
    """Images whose very pixels are on more pages."""
    pixels = corpus.images("pixels")[images]
    images, pixels = images[pixels != 0], pixels[pixels != 0]
    counts, firsts = sizes(pixels, corpus.pages_of_images()[images])
    many = counts > max_pages
    return found_of(images[many], images[firsts[many]], counts[many])


def benchmark_images(
    corpus: Corpus, images: Rows, benchmarks: BenchmarkImages, max_distance: int
) -> Found:
    """Images with the pixels of one of a benchmark, or that look like one.

    `likes` are rows of `benchmarks`: the first with the same pixels, or else the nearest one, of
    equally near ones the first.
    """
    pixels = corpus.images("pixels")[images]
    known, rows = np.unique(benchmarks.pixels, return_index=True)
    places = np.minimum(np.searchsorted(known, pixels), max(0, len(known) - 1))
    equal = known[places] == pixels if len(known) else np.zeros(len(images), np.bool_)
    likes = np.full(len(images), -1, np.int64)
    bits = np.zeros(len(images), np.float32)
    likes[equal] = rows[places[equal]]
    # Of the others each look is compared once.
    asked = np.flatnonzero(~equal & corpus.images("has_look")[images].astype(np.bool_))
    searched = np.flatnonzero(benchmarks.has_look)
    looks, which = np.unique(corpus.images("looks")[images[asked]], return_inverse=True)
    near = near_between(benchmarks.looks[searched], looks, max_distance)
    order = np.lexsort((near.second, near.distances, near.first))
    sought, best = np.unique(near.first[order], return_index=True)
    nearest = np.full(len(looks), -1, np.int64)
    nearest[sought] = searched[near.second[order][best]]
    far = np.zeros(len(looks), np.float32)
    far[sought] = near.distances[order][best]
    likes[asked], bits[asked] = nearest[which], far[which]
    out = np.flatnonzero(likes >= 0)
    return found_of(images[out], likes[out], bits[out])


def same_in_page(corpus: Corpus, images: Rows) -> Found:
    """Images whose very pixels are on the same page before."""
    pixels = corpus.images("pixels")[images]
    images, pixels = images[pixels != 0], pixels[pixels != 0]
    pages = corpus.pages_of_images()[images].astype(np.uint64)
    worse, best = all_but_best(mixed(pixels + mixed(pages)))
    return found_of(images[worse], images[best])


def near_in_page(corpus: Corpus, images: Rows, max_distance: int) -> Found:
    """Images that look like one before them on the same page."""
    pages = corpus.pages_of_images()[images].astype(np.uint64)
    return _similar(corpus, images, pages, max_distance)


def near_in_corpus(corpus: Corpus, images: Rows, max_distance: int) -> Found:
    """Images that look like one before them, on whatever page."""
    return _similar(corpus, images, np.zeros(len(images), np.uint64), max_distance)


def _similar(corpus: Corpus, images: Rows, groups: Keys, max_distance: int) -> Found:
    has_look = corpus.images("has_look")[images].astype(np.bool_)
    images, groups = images[has_look], groups[has_look]
    likes, distances = leaders(corpus.images("looks")[images], groups, max_distance)
    out = np.flatnonzero(likes != np.arange(len(likes)))
    return found_of(images[out], images[likes[out]], distances[out])
