from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from flamingo.data import Encoder, prepare_tokenizer
from flamingo.foundation.errors import SequenceError
from flamingo.sequence import END_OF_CHUNK, Interleaved, Part, Sees, Visual, mark_up

from .tokenizers_for_tests import FAMILIES, byte_level_bpe, unigram_with_begin

V, W = (Visual.from_image(np.full((2, 2, 3), value, np.uint8)) for value in (0, 9))
SPECIAL = Encoder(prepare_tokenizer(byte_level_bpe()))
PLAIN = Encoder(prepare_tokenizer(byte_level_bpe(), image_as_text=True))
each_family = pytest.mark.parametrize("make", FAMILIES.values(), ids=FAMILIES.keys())
part_lists = st.lists(
    st.one_of(st.text("a .<>", max_size=4), st.sampled_from([V, W, END_OF_CHUNK])), max_size=8
)


def slow_reference(encoder: Encoder, parts: list[Part], sees: Sees) -> list[int]:
    """φ from the definition, position by position, from the characters each token stands for."""
    marked = mark_up(Interleaved.of(*parts), encoder.prepared.markup, is_complete=True)
    owners: list[int] = []
    number = 0
    for piece in marked.pieces:
        tokens = encoder.prepared.tokenizer(piece.text, add_special_tokens=False)["input_ids"]
        number += piece.kind.value == "image"
        owners += [number if piece.kind.value == "image" else 0] * len(tokens)
    index = []
    for position, owner in enumerate(owners):
        before = [k for k in owners[: position + 1] if k]
        after = [k for k in owners[position:] if k]
        candidates = after if sees == "next" and after else before[::-1]
        index.append(owner or next(iter(candidates), 0))
    return index


@given(part_lists, st.sampled_from(["previous", "next"]), st.booleans())
def test_phi_equals_the_definition(parts: list[Part], sees: Sees, as_text: bool) -> None:
    encoder = PLAIN if as_text else SPECIAL
    encoded = encoder(Interleaved.of(*parts), is_complete=True, sees=sees)
    assert encoded.visual_index == slow_reference(encoder, parts, sees)


@given(part_lists, st.booleans())
def test_the_text_comes_back(parts: list[Part], as_text: bool) -> None:
    encoder = PLAIN if as_text else SPECIAL
    document = Interleaved.of(*parts)
    encoded = encoder(document, is_complete=True)
    marked = mark_up(document, encoder.prepared.markup, is_complete=True)
    assert encoder.prepared.tokenizer.decode(encoded.token_ids) == marked.text
    assert len(encoded) == len(encoded.visual_index) == len(encoded.loss_weights)
    assert encoded.visuals == document.visuals


@given(part_lists, st.booleans())
def test_a_prompt_is_the_beginning_of_its_document(parts: list[Part], as_text: bool) -> None:
    encoder = PLAIN if as_text else SPECIAL
    prompt = encoder(Interleaved.of(*parts), is_complete=False)
    whole = encoder(Interleaved.of(*parts), is_complete=True)
    assert whole.token_ids[: len(prompt)] == prompt.token_ids
    assert whole.visual_index[: len(prompt)] == prompt.visual_index


@each_family
def test_there_is_exactly_one_begin_token(make: Callable[[], PreTrainedTokenizerFast]) -> None:
    encoder = Encoder(prepare_tokenizer(make()))
    ids = encoder.prepared.ids
    encoded = encoder(Interleaved.of("a cat", V, " a cat"), is_complete=False)
    assert encoded.token_ids[0] == ids.bos
    assert encoded.token_ids.count(ids.bos) == 1


@each_family
def test_a_continuation_has_the_tokens_of_the_whole(
    make: Callable[[], PreTrainedTokenizerFast],
) -> None:
    encoder = Encoder(prepare_tokenizer(make()))
    prompt = encoder(Interleaved.of(V, "Output:"), is_complete=False)
    whole = encoder(Interleaved.of(V, "Output: a cat."), is_complete=False)
    assert prompt.token_ids + encoder.continuation(" a cat.") == whole.token_ids


def test_the_pair_of_the_paper() -> None:
    ids = SPECIAL.prepared.ids
    encoded = SPECIAL(Interleaved.of(V, " cat"), is_complete=True)
    (cat,) = SPECIAL.continuation(" cat")
    assert encoded.token_ids == [ids.bos, *ids.image, cat, ids.eoc, ids.eos]
    assert encoded.visual_index == [0, 1, 1, 1, 1]
    assert encoded.loss_weights == [0.0, 0.0, 1.0, 1.0, 1.0]


def test_no_token_of_a_plain_text_tag_is_predicted_and_all_see_its_visual() -> None:
    length = len(PLAIN.prepared.ids.image)
    encoded = PLAIN(Interleaved.of("a.", V, W, "a"), is_complete=False, sees="next")
    tag = slice(4, 4 + length)  # <BOS> a . <EOC>
    assert encoded.visual_index[tag] == [1] * length
    assert encoded.visual_index[tag.stop : tag.stop + length] == [2] * length
    assert encoded.loss_weights[: tag.start] == [0.0, 1.0, 1.0, 1.0]
    assert not any(encoded.loss_weights[tag.start : tag.stop + length])


def test_text_does_not_merge_with_a_plain_text_tag() -> None:
    encoded = PLAIN(Interleaved.of("a.", V), is_complete=False)
    assert tuple(encoded.token_ids[-len(PLAIN.prepared.ids.image) :]) == PLAIN.prepared.ids.image


def test_cutting_takes_text_but_never_a_visual() -> None:
    document = Interleaved.of(V, "aaaa", W, "aaaa")
    whole = SPECIAL(document, is_complete=True)
    cut = Encoder(SPECIAL.prepared, max_tokens=10)(document, is_complete=True)
    assert cut.token_ids == whole.token_ids[:10]
    assert cut.visual_index == whole.visual_index[:10]
    assert cut.visuals == whole.visuals
    with pytest.raises(SequenceError, match="14 tokens, and cutting it at 7 would lose 1 of its 2"):
        Encoder(SPECIAL.prepared, max_tokens=7)(document, is_complete=True)


def test_a_tag_in_the_text_is_refused() -> None:
    with pytest.raises(SequenceError, match="contains the tag <image>"):
        SPECIAL(Interleaved.of("An <image> of a cat."), is_complete=True)


def test_unigram_keeps_a_leading_space_apart_from_none() -> None:
    prepared = prepare_tokenizer(unigram_with_begin())
    assert prepared.tokenizer.decode(prepared.tokens(["a cat."])[0]) == "a cat."
