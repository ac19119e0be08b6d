"""The miniature's tokenizer: whole words of its world, syllables of invented names, any text."""

from __future__ import annotations

import string

from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import Unigram
from transformers import PreTrainedTokenizerFast

from flamingo.miniature.names import SYLLABLES
from flamingo.miniature.vocabulary import WORDS

BOS, EOS, PAD = "<BOS>", "<EOS>", "<PAD>"

_PRINTABLE = (" ", "\n", *string.digits, *string.ascii_letters, *string.punctuation)


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Builds the tokenizer from its word list; nothing is learned.

    A word of the world is one token, with or without the space before it (" red", "red"); an
    invented name is two ("da" "ku"). All pieces score the same, so a text is cut into as few of
    them as possible. Printable ASCII falls back to characters, the rest to bytes: any text that
    holds none of the special tokens decodes to itself.
    """
    pieces = _pieces()
    # Every character has a piece or its bytes have, so the unknown token is never produced.
    model = Unigram(
        [(piece, -1.0) for piece in pieces], unk_id=pieces.index(PAD), byte_fallback=True
    )
    tokenizer = Tokenizer(model)
    # "<" stands alone, otherwise a user's "<0x41>" would be read as the byte and decode to "A".
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"<| ?[^ <]+| +"), behavior="isolated")
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        clean_up_tokenization_spaces=False,
    )


def _pieces() -> list[str]:
    """All pieces, special tokens first, each once."""
    words = [*WORDS, *SYLLABLES]
    return list(
        dict.fromkeys(
            (
                BOS,
                EOS,
                PAD,
                *_PRINTABLE,
                *(" " + word for word in words),
                *words,
                *_BYTE_PIECES,
            )
        )
    )


# ASCII that has a character of its own needs no byte.
_BYTE_PIECES = tuple(
    f"<0x{byte:02X}>" for byte in range(256) if byte >= 128 or chr(byte) not in _PRINTABLE
)
