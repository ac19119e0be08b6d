"""Edited copies are found by how much of them is the same, and unrelated pages are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flamingo.data.collection.deduplication import NO_DEDUPLICATION
from flamingo.data.collection.pages import Page
from tests.data.collection.deduplication.pages_for_tests import (
    addresses_left,
    decided,
    left,
    page,
    text,
    words,
)

NUM_WORDS = 300
NEAR = replace(NO_DEDUPLICATION, near_text=0.8)


def shingles_of(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + 5]) for start in range(len(words) - 4)}


def jaccard(one: list[str], other: list[str]) -> float:
    first, second = shingles_of(one), shingles_of(other)
    return len(first & second) / len(first | second)


def edited(own: list[str], similarity: float, seed: int) -> list[str]:
    """A copy in which single words are others, until no more than `similarity` is left."""
    rng = np.random.default_rng((seed, 7))
    copy = list(own)
    for place in rng.permutation(len(copy)):
        copy[place] = f"new{place}"
        if jaccard(own, copy) <= similarity:
            break
    return copy


def planted() -> tuple[list[Page], dict[str, float]]:
    """2,000 pages, 300 of them edited copies; the true similarity of each copy by its address."""
    pages, truth = [], {}
    for number in range(1700):
        own = words(NUM_WORDS, number)
        pages.append(page(f"page {number}", " ".join(own)))
        if number < 300:
            copy = edited(own, (0.5, 0.7, 0.9)[number % 3], number)
            truth[f"copy {number}"] = jaccard(own, copy)
            pages.append(page(f"copy {number}", " ".join(copy)))
    order = np.random.default_rng(5).permutation(len(pages))
    return [pages[number] for number in order], truth


def test_copies_are_found_by_their_similarity_and_nothing_else_is() -> None:
    pages, truth = planted()
    decisions = decided([pages[:900], pages[900:]], NEAR)
    found = decisions.found["near-text"]
    pairs = [
        {pages[row].address, pages[like].address}
        for row, like in zip(found.rows, found.likes, strict=True)
    ]
    # Precision: what is found are pairs of a page and its copy.
    names = [sorted(pair)[0] for pair in pairs]
    assert pairs == [{name, name.replace("copy", "page")} for name in names]
    # Recall: nearly all at 0.9, few at 0.7, none at 0.5.
    shares = {
        level: np.mean([name in names for name, true in truth.items() if abs(true - level) < 0.05])
        for level in (0.5, 0.7, 0.9)
    }
    assert shares[0.9] >= 0.98
    assert shares[0.7] <= 0.1
    assert shares[0.5] == 0
    errors = [score - truth[name] for score, name in zip(found.scores, names, strict=True)]
    assert np.sqrt(np.mean(np.square(errors))) < 0.05


def test_the_threshold_decides_what_is_near() -> None:
    own = words(NUM_WORDS, 0)
    pages = [page("own", " ".join(own)), page("copy", " ".join(edited(own, 0.6, 1)))]
    assert addresses_left(pages, replace(NEAR, near_text=0.45)) == ["own"]
    assert addresses_left(pages, replace(NEAR, near_text=0.75)) == ["own", "copy"]


def test_the_longest_stays_and_of_equally_long_ones_the_first() -> None:
    own = words(NUM_WORDS, 0)
    pages = [
        page("short", " ".join(own[:-5])),
        page("first", " ".join(own)),
        page("second", " ".join(own)),
        page("long", " ".join([*own, "more"])),
        page("as long", " ".join([*own, "others"])),
    ]
    assert addresses_left(pages[:3], NEAR) == ["first"]
    assert addresses_left(pages, NEAR) == ["long"]


def test_a_page_goes_only_if_what_it_is_like_stays() -> None:
    # Each is like its neighbors, in order of length, and the ends are not like each other.
    own = words(NUM_WORDS, 0)
    chain = [page(f"{start}", " ".join(own[start : start + 230])) for start in (0, 18, 36)]
    assert addresses_left(chain, NEAR) == ["0", "36"]
    reasons = [decided([chain], NEAR).of(0).page(number).out for number in range(3)]
    assert [reason is not None for reason in reasons] == [False, True, False]
    assert reasons[1] is not None
    assert reasons[1].text.endswith("at least 0.8, to 0")


def test_many_pages_made_from_one_template_leave_one() -> None:
    own = words(NUM_WORDS, 0)
    pages = [page(f"{number}", " ".join([*own, f"number{number}"])) for number in range(300)]
    assert addresses_left(pages, NEAR) == ["0"]


def test_short_texts_are_left_alone() -> None:
    pages = [page("a", text(9, 0)), page("b", text(9, 0)), page("c"), page("d", "…")]
    assert len(left(decided([pages], NEAR), [pages])) == 4
    assert addresses_left(pages, replace(NEAR, min_words=0)) == ["a", "c", "d"]
