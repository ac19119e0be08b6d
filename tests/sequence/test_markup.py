from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.foundation.errors import SequenceError
from flamingo.sequence import END_OF_CHUNK, Interleaved, Markup, Part, PieceKind, Visual, mark_up

MARKUP = Markup(bos="<BOS>", eos="<EOS>")
V = Visual.from_image(np.zeros((1, 1, 3), np.uint8))

part_lists = st.lists(
    st.one_of(st.text("ab ", max_size=3), st.just(V), st.just(END_OF_CHUNK)), max_size=8
)


def text_of(*parts: Part, is_complete: bool = True) -> str:
    return mark_up(Interleaved.of(*parts), MARKUP, is_complete=is_complete).text


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((V, "A cat."), "<BOS><image>A cat.<EOC><EOS>"),
        (("a", V, "b", V, "c"), "<BOS>a<EOC><image>b<EOC><image>c<EOC><EOS>"),
        ((V, V, "Two."), "<BOS><image><image>Two.<EOC><EOS>"),
        (("Text only.",), "<BOS>Text only.<EOC><EOS>"),
        (("a", END_OF_CHUNK, "b", END_OF_CHUNK, V), "<BOS>a<EOC>b<EOC><image><EOS>"),
        (("a", END_OF_CHUNK, V, "b", END_OF_CHUNK), "<BOS>a<EOC><image>b<EOC><EOS>"),
        ((), "<BOS><EOS>"),
    ],
)
def test_complete_documents(parts: tuple[Part, ...], expected: str) -> None:
    assert text_of(*parts) == expected


def test_a_prompt_stays_open() -> None:
    assert text_of(V, "a", V, "Output:", is_complete=False) == "<BOS><image>a<EOC><image>Output:"


@given(part_lists)
def test_each_chunk_of_text_ends_once(parts: list[Part]) -> None:
    document = Interleaved.of(*parts)
    kinds = [piece.kind for piece in mark_up(document, MARKUP, is_complete=True).pieces]
    assert kinds[0] is PieceKind.BOS
    assert kinds[-1] is PieceKind.EOS
    for before, kind in pairwise(kinds):
        assert (kind is PieceKind.EOC) == (before is PieceKind.TEXT)


@given(part_lists)
def test_nothing_is_lost(parts: list[Part]) -> None:
    document = Interleaved.of(*parts)
    marked = mark_up(document, MARKUP, is_complete=True)
    tags = [piece for piece in marked.pieces if piece.kind is PieceKind.IMAGE]
    assert len(tags) == len(marked.visuals) == len(document.visuals)
    assert "".join(p.text for p in marked.pieces if p.kind is PieceKind.TEXT) == document.text


@given(part_lists)
def test_a_prompt_is_the_beginning_of_its_complete_document(parts: list[Part]) -> None:
    document = Interleaved.of(*parts)
    prompt = mark_up(document, MARKUP, is_complete=False).text
    assert mark_up(document, MARKUP, is_complete=True).text.startswith(prompt)


@pytest.mark.parametrize("tag", ["<image>", "<EOC>", "<BOS>", "<EOS>"])
def test_data_cannot_inject_a_tag(tag: str) -> None:
    with pytest.raises(SequenceError, match=f"the text contains the tag {tag} itself"):
        text_of(V, f"before{tag}after")


def test_a_tag_cannot_be_put_together_from_neighbors() -> None:
    with pytest.raises(SequenceError, match="tag <image>"):
        mark_up(Interleaved.of("<ima") + "ge>", MARKUP, is_complete=True)


def test_a_tokenizer_may_use_one_tag_for_both_ends() -> None:
    markup = Markup(bos="<|end|>", eos="<|end|>")
    assert markup.tags == ("<image>", "<EOC>", "<|end|>")
