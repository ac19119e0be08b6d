from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from flamingo.data import prepare_tokenizer
from flamingo.foundation.errors import ConfigError

from .tokenizers_for_tests import FAMILIES, byte_level_bpe, unigram_with_begin

Make = Callable[[], PreTrainedTokenizerFast]
each_family = pytest.mark.parametrize("make", FAMILIES.values(), ids=FAMILIES.keys())


@each_family
def test_the_two_tags_are_added_once(make: Make) -> None:
    tokenizer = make()
    size = len(tokenizer)
    first = prepare_tokenizer(tokenizer)
    second = prepare_tokenizer(tokenizer)
    assert first.ids == second.ids
    assert len(tokenizer) == size + 2
    assert first.learned_ids == (size, size + 1) == (*first.ids.image, first.ids.eoc)


@each_family
def test_tags_survive_saving(make: Make, tmp_path: Path) -> None:
    tokenizer = make()
    before = prepare_tokenizer(tokenizer)
    tokenizer.save_pretrained(tmp_path)
    after = prepare_tokenizer(AutoTokenizer.from_pretrained(tmp_path))
    assert after.ids == before.ids
    assert len(after.tokenizer) == len(tokenizer)


def test_without_a_begin_token_the_end_token_begins() -> None:
    prepared = prepare_tokenizer(byte_level_bpe())
    assert prepared.markup.bos == "<|endoftext|>"
    assert prepared.ids.bos == prepared.ids.eos == prepared.ids.pad


def test_a_begin_token_of_its_own_is_used() -> None:
    prepared = prepare_tokenizer(unigram_with_begin())
    assert prepared.markup.bos == "<s>"
    assert prepared.ids.bos != prepared.ids.eos


def test_the_tag_as_plain_text_is_several_known_tokens() -> None:
    tokenizer = byte_level_bpe()
    size = len(tokenizer)
    prepared = prepare_tokenizer(tokenizer, image_as_text=True)
    assert len(prepared.ids.image) > 1
    assert prepared.learned_ids == (prepared.ids.eoc,) == (size,)
    assert tokenizer.decode(prepared.ids.image) == "<image>"


@each_family
def test_neither_limit_nor_saved_truncation_cuts_text(make: Make) -> None:
    tokenizer = make()
    tokenizer.model_max_length = 3
    tokenizer.backend_tokenizer.enable_truncation(2)
    tokenizer.backend_tokenizer.enable_padding()
    prepared = prepare_tokenizer(tokenizer)
    short, long = prepared.tokens(["a", " cat" * 50])
    assert len(short) == 1
    assert len(long) == 50


@each_family
def test_no_begin_token_comes_with_plain_text(make: Make) -> None:
    prepared = prepare_tokenizer(make())
    (ids,) = prepared.tokens(["a cat"])
    assert prepared.ids.bos not in ids
    assert prepared.tokens([]) == []


def test_other_names_for_the_tags() -> None:
    prepared = prepare_tokenizer(byte_level_bpe(), image="[see]", eoc="[end]")
    assert (prepared.markup.image, prepared.markup.eoc) == ("[see]", "[end]")


def test_no_end_token_is_an_error() -> None:
    tokenizer = byte_level_bpe()
    tokenizer.eos_token = None
    with pytest.raises(ConfigError, match="has no end token"):
        prepare_tokenizer(tokenizer)


def test_equal_tags_are_an_error() -> None:
    with pytest.raises(ConfigError, match="both tags are written"):
        prepare_tokenizer(byte_level_bpe(), image="<x>", eoc="<x>")
