"""Any transformers tokenizer, made to know the four tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from tokenizers import AddedToken
from transformers import PreTrainedTokenizerBase

from flamingo.foundation.errors import ConfigError
from flamingo.sequence import Markup


@dataclass(frozen=True)
class MarkupIds:
    """The tags as token ids.

    Args:
        bos: begins a sequence; the end token where a tokenizer has no other, None where
            sequences begin with nothing.
        eos: ends a sequence.
        image: the tag of a visual: one id, or several where the tag is plain text.
        eoc: ends the text of a visual.
        pad: fills up rows; masked everywhere, so it may be the end token.
        around_image: stands on both sides of image tags, if something does.
    """

    bos: int | None
    eos: int
    image: tuple[int, ...]
    eoc: int
    pad: int
    around_image: int | None = None


@dataclass(frozen=True)
class PreparedTokenizer:
    """A tokenizer that knows the tags, and how they are written.

    Args:
        tokenizer: the tokenizer itself.
        markup: the tags as text.
        ids: the tags as ids.
        learned_ids: the tags that the language model did not know; their embeddings are trained.
        whole_text: whether a sequence is tokenized as one string, and not each text apart.
    """

    tokenizer: PreTrainedTokenizerBase
    markup: Markup
    ids: MarkupIds
    learned_ids: tuple[int, ...]
    whole_text: bool = False

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of plain texts, in full: no tag is added, nothing is cut."""
        if not texts:
            return []
        # The tokenizer's own limit and saved truncation are switched off: what is cut here
        # would leave visuals without their tags.
        encoded = self.tokenizer(
            list(texts),
            add_special_tokens=False,
            truncation=False,
            padding=False,
            return_attention_mask=False,
            verbose=False,
        )
        ids: list[list[int]] = encoded["input_ids"]
        return ids

    def tokens_behind(self, before: str, texts: Sequence[str]) -> list[list[int]]:
        """The ids that texts have where they go on from `before`, whose own are left out.

        Where a token spans both, there are no such ids: then those that the text has alone.
        """
        known, *joint = self.tokens([before, *(before + text for text in texts)])
        goes_on = [ids[: len(known)] == known for ids in joint]
        alone = iter(self.tokens([t for t, ok in zip(texts, goes_on, strict=True) if not ok]))
        return [
            ids[len(known) :] if ok else next(alone) for ids, ok in zip(joint, goes_on, strict=True)
        ]

    @cached_property
    def marks_beginnings(self) -> bool:
        """Whether texts have other ids alone than behind others.

        So it is where "▁" is put before a text, as by SentencePiece.
        """
        samples = ("a", " a")
        return self.tokens(samples) != self.tokens_behind(":", samples)


def prepare_tokenizer(
    tokenizer: PreTrainedTokenizerBase,
    image: str = "<image>",
    eoc: str = "<EOC>",
    *,
    image_as_text: bool = False,
    begins_with_bos: bool = True,
    around_image: str = "",
    after_eoc: str = "",
    eoc_as_text: bool = False,
    closes_before_visuals: bool = True,
    whole_text: bool = False,
    pad_tag: str | None = None,
) -> PreparedTokenizer:
    """Adds the tags that a tokenizer lacks, to the tokenizer itself; a second call adds nothing.

    Args:
        tokenizer: of any family.
        image: how the tag of a visual is written.
        eoc: how the end of a chunk is written.
        image_as_text: whether the image tag is read as ordinary text of several tokens, as in
            the paper, instead of as one new token.
        begins_with_bos: whether sequences begin with a token of their own.
        around_image: see `Markup`.
        after_eoc: see `Markup`.
        eoc_as_text: whether the end of a chunk is ordinary text, of one token.
        closes_before_visuals: see `Markup`.
        whole_text: whether a sequence is tokenized as one string, and not each text apart.
        pad_tag: fills up rows, if the tokenizer has no token for that; the end token if not given.

    Raises:
        ConfigError: the tokenizer has no end token, two tags are the same, the end of a chunk is
            text of more than one token, or a whole text is to be told from an image tag in it.

    Paper: App. A.3.
    """
    if tokenizer.eos_token_id is None:
        raise ConfigError(
            f"the tokenizer {type(tokenizer).__name__} has no end token.\n"
            "Complete sequences end in one. Set `tokenizer.eos_token` to a token that it knows."
        )
    _check_tags(image, eoc, around_image)
    if whole_text and image_as_text:
        raise ConfigError(
            f"whole_text=True and image_as_text=True do not go together.\nIn a whole text {image} "
            "is found by its token, which plain text does not have. Switch one of them off."
        )
    if hasattr(tokenizer, "legacy"):
        # transformers forgets it on saving; in LLaMA's it decides where a "▁" stands.
        tokenizer.init_kwargs["legacy"] = tokenizer.legacy
    tokens = ["" if image_as_text else image, around_image, "" if eoc_as_text else eoc]
    _add_missing(tokenizer, [tag for tag in tokens if tag])
    if tokenizer.pad_token_id is None:
        if pad_tag is not None:
            _add_missing(tokenizer, [pad_tag])
        tokenizer.pad_token = pad_tag or tokenizer.eos_token
    bos = tokenizer.bos_token or tokenizer.eos_token
    markup = Markup(
        bos=bos if begins_with_bos else "",
        eos=tokenizer.eos_token,
        image=image,
        eoc=eoc,
        around_image=around_image,
        after_eoc=after_eoc,
        is_eoc_text=eoc_as_text,
        closes_before_visuals=closes_before_visuals,
    )
    return _prepared(tokenizer, markup, image_as_text, whole_text)


def _check_tags(image: str, eoc: str, around_image: str) -> None:
    if image == eoc:
        raise ConfigError(f"both tags are written {image!r}.\nGive them different names.")
    if around_image in (image, eoc):
        raise ConfigError(
            f"what stands around images is written {around_image!r}, as another tag is.\n"
            "Give it a name of its own, or leave it empty."
        )


def _add_missing(tokenizer: PreTrainedTokenizerBase, tags: list[str]) -> None:
    known = {str(token) for token in tokenizer.added_tokens_encoder}
    missing = [tag for tag in tags if tag not in known]
    if missing:
        tokenizer.add_tokens(
            [AddedToken(tag, special=True, normalized=False) for tag in missing],
            special_tokens=True,
        )


def _prepared(
    tokenizer: PreTrainedTokenizerBase, markup: Markup, image_as_text: bool, whole_text: bool
) -> PreparedTokenizer:
    learned: list[int] = []
    if image_as_text:
        encoded = tokenizer(markup.image, add_special_tokens=False, truncation=False)
        image = tuple(encoded["input_ids"])
    else:
        image = (_id_of(tokenizer, markup.image),)
        learned += image
    around = _id_of(tokenizer, markup.around_image) if markup.around_image else None
    if around is not None:
        learned.append(around)
    if markup.is_eoc_text:
        eoc = _id_of_text(tokenizer, markup)
    else:
        eoc = _id_of(tokenizer, markup.eoc)
        learned.append(eoc)
    bos = _id_of(tokenizer, markup.bos) if markup.bos else None
    eos, pad = int(tokenizer.eos_token_id), int(tokenizer.pad_token_id)
    ids = MarkupIds(bos=bos, eos=eos, image=image, eoc=eoc, pad=pad, around_image=around)
    return PreparedTokenizer(tokenizer, markup, ids, tuple(learned), whole_text)


def _id_of_text(tokenizer: PreTrainedTokenizerBase, markup: Markup) -> int:
    """The one token that ends a chunk, where that is ordinary text."""
    found = set()
    for before in ("a", ".", "?"):
        known, joint = (
            tuple(tokenizer(text, add_special_tokens=False, truncation=False)["input_ids"])
            for text in (before, before + markup.eoc)
        )
        found.add(joint[len(known) :] if joint[: len(known)] == known else joint)
    if len(found) > 1 or len(*found) != 1:
        raise ConfigError(
            f"the end of a chunk is written {markup.eoc!r}, which is not one token behind text: "
            f"it gives {' or '.join(str(list(ids)) for ids in sorted(found))}.\n"
            "The model stops at one token. Take text that is one for this tokenizer, or "
            "eoc_as_text=False, which makes it a new token."
        )
    return found.pop()[0]


def _id_of(tokenizer: PreTrainedTokenizerBase, token: str) -> int:
    return cast(int, tokenizer.convert_tokens_to_ids(token))
