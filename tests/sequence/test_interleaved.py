from __future__ import annotations

import pickle

import numpy as np
import pytest

from flamingo.foundation.errors import SequenceError
from flamingo.sequence import END_OF_CHUNK, Interleaved, Visual
from flamingo.sequence.interleaved import _flattened

CAT = Visual.from_image(np.zeros((2, 2, 3), np.uint8))
DOG = Visual.from_image(np.ones((2, 2, 3), np.uint8))


def test_documents_inside_are_opened_up_and_neighboring_text_is_joined() -> None:
    inner = Interleaved.of("b", CAT, "c")
    assert Interleaved.of("a", inner, "", "d", DOG).parts == ("ab", CAT, "cd", DOG)


def test_adding_is_the_same_as_writing_in_one_go() -> None:
    document = Interleaved.of("a") + "b" + CAT + Interleaved.of(END_OF_CHUNK, "c")
    assert document == Interleaved.of("ab", CAT, END_OF_CHUNK, "c")


def test_text_and_visuals_apart() -> None:
    document = Interleaved.of("a", CAT, "b", END_OF_CHUNK, DOG)
    assert document.text == "ab"
    assert document.visuals == (CAT, DOG)


def test_an_empty_document() -> None:
    assert Interleaved.of() == Interleaved.of("") == Interleaved()


def test_a_tag_stands_for_the_next_visual() -> None:
    document = Interleaved.from_tagged("<image>A cat.<EOC><image>", [CAT, DOG])
    assert document.parts == (CAT, "A cat.", END_OF_CHUNK, DOG)


def test_another_tag() -> None:
    assert Interleaved.from_tagged("a[i]b", [CAT], tag="[i]").parts == ("a", CAT, "b")


def test_two_tags_and_one_visual() -> None:
    with pytest.raises(SequenceError) as caught:
        Interleaved.from_tagged("<image>A cat.<EOC><image>A dog.", [CAT])
    assert str(caught.value) == (
        "the text has 2 <image> tags but 1 visual was given.\n"
        "Each <image> tag stands for exactly one image or video, in the order they appear.\n"
        'Text: "<image>A cat.<EOC><image>A dog."   Give 2 visuals, or remove a tag.'
    )


def test_more_visuals_than_tags() -> None:
    with pytest.raises(SequenceError, match="0 <image> tags but 2 visuals were given") as caught:
        Interleaved.from_tagged("No tag.", [CAT, DOG])
    assert "Add 2 tags, or give fewer visuals." in str(caught.value)


def test_a_part_of_another_type_is_named() -> None:
    with pytest.raises(SequenceError, match="part 1 of the document is a ndarray"):
        list(_flattened(["a", np.zeros(3)]))


def test_the_end_of_chunk_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(END_OF_CHUNK)) is END_OF_CHUNK
