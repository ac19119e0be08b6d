from __future__ import annotations

from pathlib import Path

import pytest
import torch

from flamingo.data.captions import CaptionTokenizer
from flamingo.foundation.errors import ConfigError
from tests.data.tokenizers_for_tests import byte_level_bpe, unigram_with_begin


def test_rows_are_filled_up_and_the_filling_is_masked() -> None:
    tokenizer = unigram_with_begin()
    tokenizer.pad_token = "</s>"
    ids, mask = CaptionTokenizer(tokenizer, 16)(["a cat", "abc a cat"])
    assert ids.shape == mask.shape
    assert mask[1].all()
    assert mask[0].sum() < mask.shape[1]
    assert (ids[0][mask[0] == 0] == tokenizer.pad_token_id).all()
    alone, _ = CaptionTokenizer(tokenizer, 16)(["a cat"])
    assert torch.equal(ids[0][mask[0] == 1], alone[0])
    assert ids[0, 0] == tokenizer.bos_token_id


def test_long_texts_lose_their_end() -> None:
    captions = CaptionTokenizer(byte_level_bpe(), 4)
    ids, mask = captions(["abcdefgh"])
    assert ids.shape == (1, 4)
    assert mask.all()
    assert captions.tokenizer.decode(ids[0]) == "abcd"


def test_a_tokenizer_without_padding_fills_up_with_its_end_token() -> None:
    tokenizer = byte_level_bpe()
    captions = CaptionTokenizer(tokenizer, 8)
    assert captions.pad_id == tokenizer.eos_token_id
    assert captions.vocab_size == len(tokenizer)
    tokenizer.eos_token = None
    with pytest.raises(ConfigError, match="neither a padding nor an end token"):
        CaptionTokenizer(tokenizer, 8)


def test_the_padding_is_that_of_the_rows_at_hand_and_not_the_tokenizers_own() -> None:
    tokenizer = byte_level_bpe()
    tokenizer.padding_side = "left"
    _, mask = CaptionTokenizer(tokenizer, 8)(["a", "abc"])
    assert mask.tolist() == [[1, 0, 0], [1, 1, 1]]


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no tokenizer at"):
        CaptionTokenizer.from_folder(tmp_path, 8)
    byte_level_bpe().save_pretrained(tmp_path)
    ids, _ = CaptionTokenizer.from_folder(tmp_path, 8)(["a cat"])
    assert torch.equal(ids, CaptionTokenizer(byte_level_bpe(), 8)(["a cat"])[0])
