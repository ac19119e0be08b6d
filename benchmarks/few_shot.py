"""Few-shot prompts of random pictures and numbered words, the same for all who read them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from flamingo.foundation.randomness import generator
from flamingo.inference.requests import Request
from flamingo.sequence import Visual

_TAGS = ("<BOS>", "<EOS>", "<PAD>", "Output:")
_FRAME = 3
"""Tokens of a shot that are no words: the picture's tag, "Output:" and `<EOC>`."""


def numbered_words(vocabulary: int) -> PreTrainedTokenizerFast:
    """A tokenizer of "w0", "w1", … and of what templates need: one token per word."""
    pieces = [*_TAGS, *(f"w{number}" for number in range(vocabulary - len(_TAGS)))]
    numbers = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="<PAD>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<BOS>", eos_token="<EOS>", pad_token="<PAD>"
    )


class Prompts:
    """Draws supports and queries; the same number is the same picture and the same words.

    Args:
        image_size: side of the pictures.
        vocabulary: of the tokenizer.
        tokens_per_shot: all tokens of a support, tags included.
    """

    def __init__(self, image_size: int, vocabulary: int, tokens_per_shot: int) -> None:
        self.image_size, self.vocabulary = image_size, vocabulary
        self.tokens_per_shot = tokens_per_shot

    def picture(self, number: int) -> Visual:
        """Noise; supports and queries have numbers of their own."""
        side = self.image_size
        rng = generator("few-shot benchmark", "picture", number)
        return Visual.from_image(rng.integers(0, 256, (side, side, 3), dtype=np.uint8))

    def words(self, count: int, *key: int | str) -> str:
        """As many random words."""
        rng = generator("few-shot benchmark", "words", *key)
        numbers = rng.integers(self.vocabulary - len(_TAGS), size=count)
        return " ".join(f"w{number}" for number in numbers)

    def supports(self, shots: int, start: int = 0) -> list[tuple[Visual, str]]:
        """As many supports, from number `start` on."""
        words = self.tokens_per_shot - _FRAME
        return [(self.picture(n), self.words(words, n)) for n in range(start, start + shots)]

    def requests(
        self, queries: int, supports: Sequence[tuple[Visual, str]], choices: Sequence[str] = ()
    ) -> list[Request]:
        """Queries that share their supports."""
        return [self.request(query, supports, choices) for query in range(queries)]

    def request(
        self, query: int, supports: Sequence[tuple[Visual, str]], choices: Sequence[str] = ()
    ) -> Request:
        """Query number `query`, whose picture is no support's."""
        return Request.of(self.picture(-1 - query), supports=supports, choices=choices)
