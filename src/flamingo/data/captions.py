"""Texts as rows of token ids, for a text tower that reads each of them whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from flamingo.foundation.errors import ConfigError, reason


class CaptionTokenizer:
    """Any tokenizer of transformers, with the tokens of its own at both ends if it has such.

    Args:
        tokenizer: of any family; one without padding pads with its end token.
        max_tokens: longer texts lose their end.

    Raises:
        ConfigError: the tokenizer has neither a padding nor an end token.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> None:
        pad = tokenizer.pad_token_id
        pad = tokenizer.eos_token_id if pad is None else pad
        if pad is None:
            raise ConfigError(
                f"the tokenizer {type(tokenizer).__name__} has neither a padding nor an end "
                f"token.\nShort captions are filled up with one: set `tokenizer.pad_token`."
            )
        self.tokenizer, self.max_tokens, self.pad_id = tokenizer, max_tokens, int(pad)

    @classmethod
    def from_folder(cls, folder: str | Path, max_tokens: int) -> CaptionTokenizer:
        """The tokenizer that transformers finds in a folder, or under a hub name.

        Raises:
            ConfigError: there is none.
        """
        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"There is no tokenizer at {folder}: {reason(error)}\n"
                f"Give a folder with tokenizer.json, as `save_pretrained` of transformers writes."
            ) from error
        return cls(tokenizer, max_tokens)

    @property
    def vocab_size(self) -> int:
        """How many ids there are."""
        return len(self.tokenizer)

    def rows(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids, as many in each row as its text has."""
        encoded = self.tokenizer(
            list(texts),
            truncation=True,
            max_length=self.max_tokens,
            padding=False,
            return_attention_mask=False,
            verbose=False,
        )
        ids: list[list[int]] = encoded["input_ids"]
        return ids

    def __call__(
        self, texts: Sequence[str]
    ) -> tuple[Int[Tensor, "rows tokens"], Int[Tensor, "rows tokens"]]:
        """Token ids, filled up to the longest row, and 1 where a token is real."""
        rows = self.rows(texts)
        ids = torch.full((len(rows), max(map(len, rows))), self.pad_id)
        mask = torch.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row, dtype=torch.int64)
            mask[number, : len(row)] = 1
        return ids, mask
