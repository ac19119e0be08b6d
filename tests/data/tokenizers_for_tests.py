"""Small tokenizers of the usual families, built here: no download."""

from __future__ import annotations

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast


def byte_level_bpe() -> PreTrainedTokenizerFast:
    """Like GPT-2, GPT-NeoX and OPT's: bytes, one end token, no begin, no padding."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*alphabet, "ca", "cat", "Ġcat", "Ġa", "im", "<im", ".<"]
    merges = [
        ("c", "a"),
        ("ca", "t"),
        ("Ġ", "cat"),
        ("Ġ", "a"),
        ("i", "m"),
        ("<", "im"),
        (".", "<"),
    ]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")


def unigram_with_begin() -> PreTrainedTokenizerFast:
    """Like Llama's: spaces as ▁, and a begin token that the tokenizer itself puts first."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,:?!<>0123456789'\"\n"
    scored = [("<unk>", 0.0), ("▁", -2.0), ("▁a", -1.0), ("▁cat", -1.0)]
    tokenizer = Tokenizer(models.Unigram([*scored, *((letter, -3.0) for letter in letters)], 0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    tokenizer.add_special_tokens(["<s>", "</s>"])
    begin = tokenizer.token_to_id("<s>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", begin)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


FAMILIES = {"byte-level": byte_level_bpe, "unigram": unigram_with_begin}
