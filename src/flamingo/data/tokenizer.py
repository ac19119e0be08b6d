"""Any transformers tokenizer, made to know the four tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from tokenizers import AddedToken
from transformers import PreTrainedTokenizerBase

from flamingo.foundation.errors import ConfigError
from flamingo.sequence import Markup


@dataclass(frozen=True)
class MarkupIds:
    """The tags as token ids.

    Args:
        bos: begins a sequence; the end token where a tokenizer has no other.
        eos: ends a sequence.
        image: the tag of a visual: one id, or several where the tag is plain text.
        eoc: ends the text of a visual.
        pad: fills up rows; masked everywhere, so it may be the end token.
    """

    bos: int
    eos: int
    image: tuple[int, ...]
    eoc: int
    pad: int


@dataclass(frozen=True)
class PreparedTokenizer:
    """A tokenizer that knows the tags, and how they are written.

    Args:
        tokenizer: the tokenizer itself.
        markup: the tags as text.
        ids: the tags as ids.
        learned_ids: the tags that the language model did not know; their embeddings are trained.
    """

    tokenizer: PreTrainedTokenizerBase
    markup: Markup
    ids: MarkupIds
    learned_ids: tuple[int, ...]

    def tokens(self, texts: list[str]) -> list[list[int]]:
        """The ids of plain texts, in full: no tag is added, nothing is cut."""
        if not texts:
            return []
        # The tokenizer's own limit and saved truncation are switched off: what is cut here
        # would leave visuals without their tags.
        encoded = self.tokenizer(
            texts,
            add_special_tokens=False,
            truncation=False,
            padding=False,
            return_attention_mask=False,
            verbose=False,
        )
        ids: list[list[int]] = encoded["input_ids"]
        return ids


def prepare_tokenizer(
    tokenizer: PreTrainedTokenizerBase,
    image: str = "<image>",
    eoc: str = "<EOC>",
    *,
    image_as_text: bool = False,
) -> PreparedTokenizer:
    """Adds the tags that a tokenizer lacks, to the tokenizer itself; a second call adds nothing.

    Args:
        tokenizer: of any family.
        image: how the tag of a visual is written.
        eoc: how the end of a chunk is written.
        image_as_text: whether the image tag is read as ordinary text of several tokens, as in
            the paper, instead of as one new token.

    Raises:
        ConfigError: the tokenizer has no end token, or the two tags are the same.

    Paper: App. A.3.
    """
    if tokenizer.eos_token_id is None:
        raise ConfigError(
            f"the tokenizer {type(tokenizer).__name__} has no end token.\n"
            "Complete sequences end in one. Set `tokenizer.eos_token` to a token that it knows."
        )
    if image == eoc:
        raise ConfigError(f"both tags are written {image!r}.\nGive them different names.")
    _add_missing(tokenizer, [eoc] if image_as_text else [image, eoc])
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    bos = tokenizer.bos_token or tokenizer.eos_token
    markup = Markup(bos=bos, eos=tokenizer.eos_token, image=image, eoc=eoc)
    return _prepared(tokenizer, markup, image_as_text)


def _add_missing(tokenizer: PreTrainedTokenizerBase, tags: list[str]) -> None:
    known = {str(token) for token in tokenizer.added_tokens_encoder}
    missing = [tag for tag in tags if tag not in known]
    if missing:
        tokenizer.add_tokens(
            [AddedToken(tag, special=True, normalized=False) for tag in missing],
            special_tokens=True,
        )


def _prepared(
    tokenizer: PreTrainedTokenizerBase, markup: Markup, image_as_text: bool
) -> PreparedTokenizer:
    eoc = _id_of(tokenizer, markup.eoc)
    if image_as_text:
        encoded = tokenizer(markup.image, add_special_tokens=False, truncation=False)
        image = tuple(encoded["input_ids"])
        learned: tuple[int, ...] = (eoc,)
    else:
        image = (_id_of(tokenizer, markup.image),)
        learned = (*image, eoc)
    bos = _id_of(tokenizer, markup.bos)
    eos, pad = int(tokenizer.eos_token_id), int(tokenizer.pad_token_id)
    ids = MarkupIds(bos=bos, eos=eos, image=image, eoc=eoc, pad=pad)
    return PreparedTokenizer(tokenizer, markup, ids, learned)


def _id_of(tokenizer: PreTrainedTokenizerBase, token: str) -> int:
    return cast(int, tokenizer.convert_tokens_to_ids(token))
