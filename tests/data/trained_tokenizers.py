"""Small tokenizers of the released models' families, trained here: no download."""

from __future__ import annotations

import json

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

TEXTS = [
    "User: What is in this image? Assistant: yes, a cat and a dog.",
    "Question: is it a cat? Answer: yes",
    "Output: a dog",
    "Image description: two cats and one dog",
    "Instruction: provide a short caption of the input image.",
    "yes no maybe red blue",
] * 3
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
FAKE, IMAGE, END = "<fake_token_around_image>", "<image>", "<end_of_utterance>"


def llama_like(scheme: str) -> PreTrainedTokenizerFast:
    """BPE with bytes to fall back on; "▁" before each run of text ("legacy") or the first one.

    As in LLaMA's, no token has a space inside, and a line break is a byte.
    """
    trained = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    special = ["<unk>", "<s>", "</s>"]
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=[*special, *BYTES], show_progress=False
    )
    trained.train_from_iterator(TEXTS, trainer)
    content = json.loads(trained.to_str())
    content["added_tokens"] = [t for t in content["added_tokens"] if t["content"] in special]
    content["pre_tokenizer"] = None
    tokenizer = Tokenizer.from_str(json.dumps(content))
    if scheme == "legacy":
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<unk>",
        padding_side="left",
    )


def idefics_like(scheme: str, *, is_instructed: bool = False) -> PreTrainedTokenizerFast:
    """With the tokens that IDEFICS adds, in the order of theirs."""
    tokenizer = llama_like(scheme)
    added = [FAKE, IMAGE, *([END] if is_instructed else [])]
    tokenizer.add_special_tokens({"additional_special_tokens": added})
    return tokenizer


def neox_like() -> PreTrainedTokenizerFast:
    """Byte-level BPE with GPT-2's split into words, one special token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token=end, bos_token=end, eos_token=end
    )
