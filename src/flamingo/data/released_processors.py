"""From the files of a released OpenFlamingo or IDEFICS to the parts of a processor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from tokenizers import AddedToken
from transformers import (
    AutoTokenizer,
    BaseImageProcessor,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
)

from flamingo.data.image_processor import FlamingoImageProcessor
from flamingo.data.released_styles import (
    END_OF_UTTERANCE,
    IDEFICS,
    IDEFICS_INSTRUCT,
    IDEFICS_PICTURES,
    OPEN_FLAMINGO,
    OPEN_FLAMINGO_ADDED,
    OPEN_FLAMINGO_PICTURES,
    OPEN_FLAMINGO_TOKENIZERS,
)
from flamingo.foundation.errors import CheckpointError, reason

Tokenizer: TypeAlias = PreTrainedTokenizerBase | str | Path


def released_parts(
    source: str | Path, tokenizer: Tokenizer | None = None, **hub: Any
) -> dict[str, Any] | None:
    """The arguments of `FlamingoProcessor` for a released model; none if it is not one.

    Args:
        source: a folder or a name on a hub, in the layout of IDEFICS (`config.json` of that
            type) or of OpenFlamingo (`checkpoint.pt` and no `config.json`).
        tokenizer: of OpenFlamingo's language model, or where it is; needed if the last part of
            the name is not that of a released one.
        hub: how a hub is asked: `revision`, `token` and so on.

    Raises:
        CheckpointError: a file or a setting is missing, or the tokenizer is not known.
    """
    name = Path(source).name
    config = _config(source, hub)
    if config is not None and config.get("model_type") == "idefics":
        return _idefics(source, config, hub)
    if not _is_open_flamingo(source, has_config=config is not None, is_named=tokenizer is not None):
        return None
    found = OPEN_FLAMINGO_TOKENIZERS.get(name) if tokenizer is None else tokenizer
    if found is None:
        raise CheckpointError(
            f"The processor for {source} needs the tokenizer of its language model, which the "
            "files of an OpenFlamingo do not have.\nGive tokenizer=, where that is "
            "(--language-model on the command line). Known by name are: "
            f"{', '.join(OPEN_FLAMINGO_TOKENIZERS)}."
        )
    if not isinstance(found, PreTrainedTokenizerBase):
        found = _tokenizer(found)
    _add_tokens(found)
    return {
        **OPEN_FLAMINGO,
        "image_processor": FlamingoImageProcessor(**OPEN_FLAMINGO_PICTURES),
        "tokenizer": found,
    }


def _tokenizer(source: str | Path, **hub: Any) -> PreTrainedTokenizerBase:
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(source, **hub)
    # Damaged files make tokenizers raise an `Exception` of no kind.
    except Exception as error:
        raise CheckpointError(
            f"The tokenizer at {source} cannot be loaded: {reason(error)}\n"
            "Give a folder with the tokenizer's files; a name on a hub needs a network or an "
            "earlier download."
        ) from error
    return tokenizer


def _config(source: str | Path, hub: Mapping[str, Any]) -> dict[str, Any] | None:
    """What `config.json` holds, if there is one with something in it."""
    try:
        config, _ = PreTrainedConfig.get_config_dict(source, **hub)
    except OSError:
        return None
    return config or None


def _is_open_flamingo(source: str | Path, *, has_config: bool, is_named: bool) -> bool:
    if Path(source).is_dir():
        return not has_config and (Path(source) / "checkpoint.pt").is_file()
    # A name on a hub; the checkpoint itself is not fetched for a processor.
    return Path(source).name in OPEN_FLAMINGO_TOKENIZERS or (is_named and not has_config)


def _add_tokens(tokenizer: PreTrainedTokenizerBase) -> None:
    """Adds the new tokens in the order of their rows in the checkpoint's table."""
    *tags, pad = OPEN_FLAMINGO_ADDED
    wanted = tags if tokenizer.pad_token_id is not None else [*tags, pad]
    known = {str(token) for token in tokenizer.added_tokens_encoder}
    added = [AddedToken(t, special=True, normalized=False) for t in wanted if t not in known]
    if added:
        tokenizer.add_tokens(added, special_tokens=True)


def _idefics(
    source: str | Path, config: Mapping[str, Any], hub: Mapping[str, Any]
) -> dict[str, Any]:
    tokenizer = _tokenizer(source, **hub)
    known = tokenizer.get_vocab()
    for tag in (IDEFICS["image_tag"], IDEFICS["around_image"]):
        if tag not in known:
            raise CheckpointError(
                f"The tokenizer of {source} does not know {tag}, which every IDEFICS does.\n"
                "Its files are incomplete: look for tokenizer.json and added_tokens.json."
            )
    style = IDEFICS_INSTRUCT if END_OF_UTTERANCE in known else IDEFICS
    return {
        **style,
        "image_processor": _idefics_pictures(source, config, hub),
        "tokenizer": tokenizer,
    }


def _idefics_pictures(
    source: str | Path, config: Mapping[str, Any], hub: Mapping[str, Any]
) -> FlamingoImageProcessor:
    try:
        saved, _ = BaseImageProcessor.get_image_processor_dict(source, **hub)
    except OSError as error:
        raise CheckpointError(
            f"{source} has no preprocessor_config.json, which says how an IDEFICS sees pictures.\n"
            "It stands beside config.json on the hub; fetch it from there."
        ) from error
    vision = config.get("vision_config") or {}
    found = {
        "size": saved.get("image_size") or saved.get("size") or vision.get("image_size"),
        "image_mean": saved.get("image_mean"),
        "image_std": saved.get("image_std"),
    }
    missing = [name for name, value in found.items() if value is None]
    if missing:
        raise CheckpointError(
            f"preprocessor_config.json of {source} does not tell {', '.join(missing)}.\n"
            "Other values than the model was trained with would make it see badly; add them."
        )
    return FlamingoImageProcessor(**found, **IDEFICS_PICTURES)
