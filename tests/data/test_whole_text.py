"""Sequences that are tokenized as one string, and prompts that are read in parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken
from transformers import PreTrainedTokenizerFast

from flamingo.data import Encoder, prepare_tokenizer
from flamingo.foundation.errors import ConfigError, SequenceError
from flamingo.miniature.tokenizer import build_tokenizer
from flamingo.sequence import END_OF_CHUNK, EndOfChunk, Interleaved, Part, Visual, mark_up

from .tokenizers_for_tests import byte_level_bpe
from .trained_tokenizers import FAKE, llama_like, neox_like

V, W = (Visual.from_image(np.full((2, 2, 3), value, np.uint8)) for value in (0, 9))
STYLES: dict[str, dict[str, Any]] = {
    "ours": {},
    "ours, whole": {"whole_text": True},
    "open flamingo": {
        "eoc": "<|endofchunk|>",
        "after_eoc": "\n",
        "begins_with_bos": False,
        "whole_text": True,
        "pad_tag": "<PAD>",
    },
    "idefics": {
        "eoc": "\n",
        "eoc_as_text": True,
        "around_image": FAKE,
        "closes_before_visuals": False,
        "whole_text": True,
    },
    "idefics instruct": {
        "eoc": "<end_of_utterance>",
        "after_eoc": "\n",
        "around_image": FAKE,
        "closes_before_visuals": False,
        "whole_text": True,
    },
}
TOKENIZERS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "llama, legacy": lambda: llama_like("legacy"),
    "llama, first": lambda: llama_like("first"),
    "neox": neox_like,
    "miniature": build_tokenizer,
}
ENCODERS = {
    (family, style): Encoder(prepare_tokenizer(make(), **settings))
    for family, make in TOKENIZERS.items()
    for style, settings in STYLES.items()
}
each_encoder = pytest.mark.parametrize("encoder", ENCODERS.values(), ids=map(str, ENCODERS))

words = st.text("abcdQy?., ", min_size=1, max_size=8).map(lambda text: f"Question: {text} Answer:")
supports_of = st.lists(
    st.tuples(
        st.sampled_from(["", "Image:"]),
        st.lists(st.sampled_from([V, W]), max_size=2),
        words,
        st.sampled_from([" yes", " no", " two cats"]),
    ),
    min_size=1,
    max_size=3,
)


def document(before: str, visuals: list[Visual], text: str, *rest: Part) -> Interleaved:
    return Interleaved.of(before, *visuals, text, *rest)


@each_encoder
@settings(max_examples=40)
@given(supports_of, supports_of)
def test_parts_have_the_ids_of_the_joint_prompt(
    encoder: Encoder, supports: Any, queries: Any
) -> None:
    read = Interleaved.of(*(document(*one, END_OF_CHUNK) for one in supports))
    before, visuals, text, answer = queries[0]
    asked, answered = document(before, visuals, text), document(before, visuals, text, answer)
    parts = [
        *encoder(read, is_complete=False).token_ids,
        *encoder(asked, is_complete=False, is_beginning=False).token_ids,
        *encoder.continuation(answer),
    ]
    assert parts == encoder(read + answered, is_complete=False).token_ids


@pytest.mark.parametrize("style", ["open flamingo", "idefics", "idefics instruct"])
@pytest.mark.parametrize("family", ["llama, legacy", "llama, first", "neox"])
@given(supports_of, st.booleans())
def test_the_ids_are_those_of_the_whole_string(
    style: str, family: str, supports: Any, is_complete: bool
) -> None:
    encoder = ENCODERS[family, style]
    whole = Interleaved.of(*(document(*one, END_OF_CHUNK) for one in supports), "A line.\nTwo.")
    marked = mark_up(whole, encoder.prepared.markup, is_complete=is_complete)
    encoded = encoder(whole, is_complete=is_complete)
    tokenizer = encoder.prepared.tokenizer
    assert encoded.token_ids == tokenizer(marked.text, add_special_tokens=False)["input_ids"]


@each_encoder
def test_phi_is_that_of_the_tags(encoder: Encoder) -> None:
    encoded = encoder(Interleaved.of("a", V, W, "b", V, "a"), is_complete=False)
    seen = 0
    for token, number in zip(encoded.token_ids, encoded.visual_index, strict=True):
        seen += (token,) == encoder.prepared.ids.image
        assert number == seen
    assert seen == 3


def test_tags_and_what_is_around_them_are_not_predicted() -> None:
    encoder = ENCODERS["llama, legacy", "idefics"]
    encoded = encoder(Interleaved.of("a", V, "b"), is_complete=True)
    ids = encoder.prepared.ids
    not_predicted = {ids.bos, ids.around_image, *ids.image}
    for token, weight in zip(encoded.token_ids, encoded.loss_weights, strict=True):
        assert weight == (token not in not_predicted)
    assert encoded.token_ids[-2:] == [ids.eoc, ids.eos]


@pytest.mark.parametrize("scheme", ["legacy", "first"])
def test_a_continuation_goes_on_from_a_prompt(scheme: str) -> None:
    tokenizer = llama_like(scheme)
    encoder = Encoder(prepare_tokenizer(tokenizer))
    assert tokenizer.convert_ids_to_tokens(encoder.continuation(" yes")) == ["▁yes"]
    # Without a space it goes on inside of a word, where the tokenizer alone would begin one.
    assert "▁" not in "".join(tokenizer.convert_ids_to_tokens(encoder.continuation("yes")))


@pytest.mark.parametrize("make", [byte_level_bpe, neox_like, build_tokenizer])
@given(text=st.text("abc'.:) \n", max_size=6))
def test_where_texts_stand_alone_anyway_continuations_are_those_of_the_text(
    make: Callable[[], PreTrainedTokenizerFast], text: str
) -> None:
    encoder = Encoder(prepare_tokenizer(make()))
    assert not encoder.prepared.marks_beginnings
    assert encoder.continuation(text) == encoder.prepared.tokens([text])[0]


def test_a_token_over_the_seam_leaves_the_text_as_it_is_alone() -> None:
    prepared = prepare_tokenizer(byte_level_bpe())
    # "c" and "at" are joined to "cat"; there is nothing that goes on from "c".
    assert prepared.tokens_behind("ca", ["t", "a"]) == prepared.tokens(["t", "a"])


def test_an_end_without_its_line_break_is_tokenized_as_in_the_whole() -> None:
    encoder = ENCODERS["llama, legacy", "open flamingo"]
    whole = Interleaved.of("a", EndOfChunk.BARE, "yes", V, "no")
    marked = mark_up(whole, encoder.prepared.markup, is_complete=False)
    tokenizer = encoder.prepared.tokenizer
    joint = tokenizer(marked.text, add_special_tokens=False)["input_ids"]
    assert encoder(whole, is_complete=False).token_ids == joint


def test_nothing_at_all_is_refused() -> None:
    encoder = ENCODERS["neox", "open flamingo"]
    with pytest.raises(SequenceError, match="the document is empty"):
        encoder(Interleaved(), is_complete=False)
    assert encoder(Interleaved(), is_complete=False, is_beginning=False).token_ids == []


def test_a_tag_that_is_not_found_again_is_an_error() -> None:
    tokenizer = neox_like()
    # Found only where no letter is beside it.
    tokenizer.add_tokens(
        [AddedToken("<image>", single_word=True, special=True)], special_tokens=True
    )
    encoder = Encoder(prepare_tokenizer(tokenizer, whole_text=True))
    with pytest.raises(SequenceError, match="1 <image> tags, but 0 of the tokens"):
        encoder(Interleaved.of(V, "cat"), is_complete=False)


# What the tokenizer is asked for


def test_the_end_of_a_chunk_as_text_is_one_known_token() -> None:
    for make in (lambda: llama_like("legacy"), lambda: llama_like("first"), neox_like):
        tokenizer = make()
        size = len(tokenizer)
        prepared = prepare_tokenizer(tokenizer, eoc="\n", eoc_as_text=True)
        assert tokenizer.decode([prepared.ids.eoc]) == "\n"
        assert len(tokenizer) == size + 1  # the image tag
        assert prepared.learned_ids == prepared.ids.image


def test_an_end_of_several_tokens_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'\\n\\n', which is not one token behind text"):
        prepare_tokenizer(llama_like("legacy"), eoc="\n\n", eoc_as_text=True)


def test_padding_has_a_token_of_its_own_if_there_is_none() -> None:
    tokenizer = neox_like()
    prepared = prepare_tokenizer(tokenizer, pad_tag="<PAD>")
    assert tokenizer.pad_token == "<PAD>"
    assert prepared.ids.pad == len(tokenizer) - 1
    assert prepared.ids.pad not in prepared.learned_ids
    assert prepare_tokenizer(llama_like("first"), pad_tag="<PAD>").ids.pad == 0


def test_tags_around_images_are_learned_too() -> None:
    tokenizer = neox_like()
    prepared = prepare_tokenizer(tokenizer, around_image=FAKE)
    assert prepared.ids.around_image in prepared.learned_ids
    assert tokenizer.decode([prepared.ids.around_image]) == FAKE


def test_settings_that_contradict_each_other() -> None:
    with pytest.raises(ConfigError, match="do not go together"):
        prepare_tokenizer(neox_like(), whole_text=True, image_as_text=True)
    with pytest.raises(ConfigError, match="as another tag is"):
        prepare_tokenizer(neox_like(), around_image="<image>")
