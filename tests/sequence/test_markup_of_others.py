"""The markup of OpenFlamingo and of IDEFICS."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.foundation.errors import SequenceError
from flamingo.sequence import (
    END_OF_CHUNK,
    EndOfChunk,
    Interleaved,
    Markup,
    Part,
    PieceKind,
    Visual,
    mark_up,
)

OPEN = Markup(bos="", eos="<EOS>", eoc="<|endofchunk|>", after_eoc="\n")
IDEFICS = Markup(
    bos="<s>",
    eos="</s>",
    eoc="\n",
    around_image="<fake>",
    is_eoc_text=True,
    closes_before_visuals=False,
)
INSTRUCT = Markup(
    bos="<s>",
    eos="</s>",
    eoc="<end>",
    after_eoc="\n",
    around_image="<fake>",
    closes_before_visuals=False,
)
V = Visual.from_image(np.zeros((1, 1, 3), np.uint8))
BARE = EndOfChunk.BARE

part_lists = st.lists(
    st.one_of(st.text("ab ", max_size=3), st.sampled_from([V, END_OF_CHUNK, BARE])), max_size=8
)


def text_of(markup: Markup, *parts: Part, is_complete: bool = False) -> str:
    return mark_up(Interleaved.of(*parts), markup, is_complete=is_complete).text


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((V, "a", END_OF_CHUNK, V, "Output:"), "<image>a<|endofchunk|>\n<image>Output:"),
        (("a", END_OF_CHUNK, "b", END_OF_CHUNK), "a<|endofchunk|>\nb<|endofchunk|>\n"),
        (("a", BARE, "b"), "a<|endofchunk|>b"),
        (("a", V, "b"), "a<|endofchunk|><image>b"),
        ((END_OF_CHUNK, V, END_OF_CHUNK, "b"), "<image>b"),
    ],
)
def test_open_flamingo_has_line_breaks_behind_ends_that_someone_put(
    parts: tuple[Part, ...], expected: str
) -> None:
    assert text_of(OPEN, *parts) == expected


def test_what_stands_behind_an_end_is_no_open_text() -> None:
    assert text_of(OPEN, V, "a", END_OF_CHUNK, is_complete=True) == (
        "<image>a<|endofchunk|>\n<EOS>"
    )
    assert text_of(OPEN, V, "a", is_complete=True) == "<image>a<|endofchunk|><EOS>"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("User:", V, "What?\n"), "<s>User:<fake><image><fake>What?\n"),
        ((V, V, V), "<s><fake><image><fake><image><fake><image><fake>"),
        ((V, "a", V), "<s><fake><image><fake>a<fake><image><fake>"),
        (("Image:", V, END_OF_CHUNK, "a"), "<s>Image:<fake><image><fake>\na"),
        ((V, END_OF_CHUNK, V), "<s><fake><image><fake><fake><image><fake>"),
    ],
)
def test_idefics_has_tokens_around_images_and_no_end_before_them(
    parts: tuple[Part, ...], expected: str
) -> None:
    assert text_of(IDEFICS, *parts) == expected


def test_a_turn_of_the_instructed_idefics() -> None:
    parts = ("User:", V, "What?", END_OF_CHUNK, "Assistant:")
    assert text_of(INSTRUCT, *parts) == "<s>User:<fake><image><fake>What?<end>\nAssistant:"


def test_texts_may_have_the_end_that_is_text_but_no_tag() -> None:
    assert text_of(IDEFICS, "a\nb\n\n") == "<s>a\nb\n\n"
    for tag in ("<image>", "<fake>", "<s>", "</s>"):
        with pytest.raises(SequenceError, match=f"contains the tag {tag} itself"):
            text_of(IDEFICS, V, f"a {tag} b")


def test_a_sequence_without_a_beginning_has_no_piece_for_it() -> None:
    assert [p.kind for p in mark_up(Interleaved.of("a"), OPEN, is_complete=False).pieces] == [
        PieceKind.TEXT
    ]
    rest = mark_up(Interleaved.of(V, "a"), OPEN, is_complete=False, is_beginning=False)
    assert rest.text == "<image>a"


@given(part_lists, part_lists, st.sampled_from([OPEN, IDEFICS, INSTRUCT]))
def test_what_follows_on_a_closed_chunk_is_written_as_in_the_whole(
    supports: list[Part], query: list[Part], markup: Markup
) -> None:
    before = Interleaved.of(*supports, "a", END_OF_CHUNK)
    after = Interleaved.of(*query)
    head = mark_up(before, markup, is_complete=False)
    tail = mark_up(after, markup, is_complete=False, is_beginning=False)
    assert head.text + tail.text == mark_up(before + after, markup, is_complete=False).text


@given(part_lists, st.sampled_from([OPEN, IDEFICS, INSTRUCT]))
def test_a_prompt_is_the_beginning_of_its_complete_document(
    parts: list[Part], markup: Markup
) -> None:
    prompt = text_of(markup, *parts)
    assert text_of(markup, *parts, is_complete=True).startswith(prompt)


def test_tagged_text_tells_ends_with_and_without_a_line_break() -> None:
    read = Interleaved.from_tagged(
        "<image>a<|endofchunk|>\n<image>b<|endofchunk|>c",
        [V, V],
        end_of_chunk="<|endofchunk|>",
        after_end="\n",
    )
    assert read.parts == (V, "a", END_OF_CHUNK, V, "b", BARE, "c")
    assert text_of(OPEN, *read.parts) == "<image>a<|endofchunk|>\n<image>b<|endofchunk|>c"
    plain = Interleaved.from_tagged("a\n<image>b\n", [V], end_of_chunk="")
    assert plain.parts == ("a\n", V, "b\n")
