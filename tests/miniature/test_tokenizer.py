from __future__ import annotations

from functools import lru_cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from flamingo.miniature.names import HELD_OUT_NAMES, TRAIN_NAMES
from flamingo.miniature.tokenizer import build_tokenizer
from flamingo.miniature.vocabulary import WORDS

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@lru_cache
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer()


def ids(text: str) -> list[int]:
    return tokenizer()(text, add_special_tokens=False)["input_ids"]


@settings(deadline=None, max_examples=300)
@given(ANY_TEXT)
@example("")
@example("  two  spaces \r\n\t")
@example("\u2581 is not a space")
@example("<0x41> is not the letter A")
@example("Ωμέγα, 猫 and 🦩")
@example("\x00\x7f")
def test_any_text_decodes_to_itself(text: str) -> None:
    assert tokenizer().decode(ids(text)) == text


@settings(deadline=None)
@given(st.lists(st.sampled_from([*WORDS, *TRAIN_NAMES[:50], ".", ":", "\n", "é"]), max_size=12))
def test_sentences_of_the_world_decode_to_themselves(words: list[str]) -> None:
    text = " ".join(words)
    assert tokenizer().decode(ids(text)) == text


def test_a_word_of_the_world_is_one_token_with_and_without_space() -> None:
    for word in WORDS:
        assert len(ids(word)) == 1
        assert len(ids(" " + word)) == 1


def test_an_invented_name_is_two_tokens_with_and_without_space() -> None:
    for name in (*TRAIN_NAMES, *HELD_OUT_NAMES):
        assert len(ids(name)) == 2
        assert len(ids(" " + name)) == 2


def test_the_vocabulary_is_small_and_has_no_image_tag() -> None:
    vocabulary = tokenizer().get_vocab()
    assert len(vocabulary) < 600
    assert "<image>" not in vocabulary
    assert "<EOC>" not in vocabulary


def test_an_answer_continues_its_prompt() -> None:
    assert ids("Output:") + ids(" daku") == ids("Output: daku")


def test_it_is_the_same_after_saving(tmp_path: pytest.TempPathFactory) -> None:
    tokenizer().save_pretrained(str(tmp_path))
    loaded = AutoTokenizer.from_pretrained(str(tmp_path))
    text = "a red circle <0x41>  daku é\n"
    assert loaded(text)["input_ids"] == tokenizer()(text)["input_ids"]
    assert loaded.decode(loaded(text)["input_ids"]) == text
    assert (loaded.bos_token, loaded.eos_token, loaded.pad_token) == ("<BOS>", "<EOS>", "<PAD>")
