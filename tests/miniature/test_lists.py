from __future__ import annotations

import re

import pytest

from flamingo.miniature.documents import LISTS, list_document
from flamingo.miniature.names import HELD_OUT_NAMES
from flamingo.miniature.scene import HELD_OUT_PAIRS


@pytest.mark.parametrize("kind", LISTS)
def test_lists_hold_no_held_out_pair_or_name(kind: str) -> None:
    held_out = {*HELD_OUT_NAMES, *(" ".join(pair) for pair in HELD_OUT_PAIRS)}
    pattern = re.compile(r"\b(" + "|".join(held_out) + r")\b")
    for index in range(300):
        text = list_document(0, index, 8, kind).text
        assert not pattern.search(text), text


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_is_a_function_of_its_number(kind: str) -> None:
    assert list_document(0, 1, 8, kind) == list_document(0, 1, 8, kind)
    assert list_document(0, 1, 8, kind) != list_document(0, 2, 8, kind)


def test_a_repeated_list_says_the_same_again() -> None:
    document = list_document(0, 3, 8, "repeated_list")
    ((start, end),) = document.look_spans
    once = document.text[start:end]
    assert document.text.count(once) >= 3
    assert set(document.text.split(" ")) == set(once.split(" "))


def test_a_glossary_gives_each_word_one_name() -> None:
    for index in range(100):
        document = list_document(0, index, 8, "glossary")
        ends = [start for start, _ in document.look_spans[1:]] + [len(document.text)]
        entries = {
            (document.text[start:end], document.text[end:until])
            for (start, end), until in zip(document.look_spans, ends, strict=True)
        }
        assert len({key for key, _ in entries}) == len(entries)
