"""What is decided hangs on the order of pages alone: not on pieces, nor on who made what when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.data.collection.deduplication import (
    Decisions,
    DeduplicationSettings,
    SignatureTable,
    decide,
    signature_of,
)
from flamingo.data.collection.deduplication.decisions import RULES
from flamingo.data.collection.pages import Page
from tests.data.collection.deduplication.pages_for_tests import (
    decided,
    image,
    left,
    look,
    page,
    text,
    words,
)

STRICT = DeduplicationSettings(
    near_in_page="remove",
    near_in_corpus="remove",
    max_uses_of_address=3,
    max_pages_of_image=2,
    max_pages_of_paragraph=1,
    near_text=0.6,
)


NUMBER = st.integers(0, 3)
DRAWN = st.lists(
    st.tuples(*[NUMBER] * 6, st.lists(st.tuples(NUMBER, NUMBER), max_size=3)), max_size=8
)


def corpus(drawn: list[tuple[Any, ...]]) -> list[Page]:
    """Pages that share addresses, texts, near texts, paragraphs and images."""
    return [
        page(
            f"https://{domain}.org/{path}",
            " ".join(words(60, kind)[: 60 - 4 * cut]),
            text(5, paragraph),
            *(image(f"{one}{file}", look(one)) for one, file in images),
            date=f"202{year}",
        )
        for domain, path, kind, cut, paragraph, year, images in drawn
    ]


def tables_of(pages: Sequence[Page], cuts: Iterable[int]) -> list[SignatureTable]:
    edges = [0, *sorted(min(cut, len(pages)) for cut in cuts), len(pages)]
    signatures = [signature_of(one) for one in pages]
    return [SignatureTable.of(signatures[a:b]) for a, b in pairwise(edges)]


def all_found(decisions: Decisions) -> dict[str, list[list[float]]]:
    return {
        rule: [found.rows.tolist(), found.likes.tolist(), found.scores.tolist()]
        for rule, found in decisions.found.items()
    }


@settings(max_examples=40, deadline=None)
@given(DRAWN, st.lists(st.integers(0, 8), max_size=3))
def test_how_pages_are_cut_into_pieces_makes_no_difference(
    drawn: list[tuple[Any, ...]], cuts: list[int]
) -> None:
    pages = corpus(drawn)
    whole = decide(tables_of(pages, []), STRICT)
    cut = decide(tables_of(pages, cuts), STRICT)
    assert all_found(cut) == all_found(whole)
    assert [
        cut.of(piece).page(number)
        for piece, table in enumerate(cut.corpus.tables)
        for number in range(len(table))
    ] == [whole.of(0).page(number) for number in range(len(pages))]


@settings(max_examples=25, deadline=None)
@given(DRAWN, st.randoms(use_true_random=False))
def test_the_order_in_which_signatures_are_made_makes_no_difference(
    drawn: list[tuple[Any, ...]], random: Random
) -> None:
    pages = corpus(drawn)
    order = list(range(len(pages)))
    random.shuffle(order)
    made = {number: SignatureTable.of([signature_of(pages[number])]).to_bytes() for number in order}
    tables = [SignatureTable.from_bytes(made[number]) for number in range(len(pages))]
    assert all_found(decide(tables, STRICT)) == all_found(decide(tables_of(pages, []), STRICT))


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(6)))
def test_where_no_rule_says_first_the_order_of_pages_makes_no_difference(order: list[int]) -> None:
    # Other dates and other lengths, so that there is always a latest and a longest.
    own = words(60, 0)
    pages = [
        page(f"https://e.org/{number // 2}", " ".join(own[: 50 + number]), date=f"202{number}")
        for number in range(6)
    ]
    stays = left(decided([[pages[number] for number in order]]), [[pages[n] for n in order]])
    assert stays == [pages[5]]


@settings(max_examples=40, deadline=None)
@given(DRAWN)
def test_what_is_left_is_left_the_second_time_by_rules_that_keep_one(
    drawn: list[tuple[Any, ...]],
) -> None:
    pages = corpus(drawn)
    rules = replace(
        STRICT, max_uses_of_address=None, max_pages_of_image=None, max_pages_of_paragraph=None
    )
    # Images go after sets of images were compared, so that these are left to the other rules.
    rules = replace(rules, same_images=False)
    once = left(decided([pages], rules), [pages])
    assert left(decided([once], rules), [once]) == once


def test_each_rule_sees_what_those_before_it_have_left() -> None:
    pages = [
        page("https://e.org/1", text(20, 1), image("a"), date="2020"),
        page("https://e.org/1", text(20, 2), image("b"), date="2021"),
        page("https://e.org/2", text(20, 1), image("c")),
        page("https://e.org/3", text(20, 3), image("a")),
    ]
    decisions = decided([pages])
    assert {rule: found.rows.tolist() for rule, found in decisions.found.items() if len(found)} == {
        "same-address": [0]
    }
    assert list(decisions.found) == [rule for rule in RULES if rule != "benchmark-image"]


def test_an_empty_corpus_has_no_duplicates() -> None:
    for tables in ([], [SignatureTable.of([])], [SignatureTable.of([]), SignatureTable.of([])]):
        decisions = decide(tables, STRICT)
        assert not any(len(found) for found in decisions.found.values())
        assert all(len(decisions.of(piece).pages) == 0 for piece in range(len(tables)))
