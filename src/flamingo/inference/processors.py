"""The processor that belongs to a model, wherever that came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from flamingo.data.processor import FlamingoProcessor
from flamingo.foundation.errors import CheckpointError
from flamingo.model.checkpoints.released import is_open_flamingo
from flamingo.model.config import FlamingoConfig


def processor_for(
    source: str | Path,
    config: FlamingoConfig,
    tokenizer: str | Path | PreTrainedTokenizerBase | None = None,
) -> FlamingoProcessor:
    """The processor at `source`, checked against the model's settings.

    Args:
        source: a folder or a hub name, of a model of ours or of a released one.
        config: of the model.
        tokenizer: of an OpenFlamingo, whose files have none; by default its language model's.

    Raises:
        CheckpointError: its tokenizer is another model's.
    """
    if not is_open_flamingo(source):
        processor: FlamingoProcessor = FlamingoProcessor.from_pretrained(source)
    else:
        processor = FlamingoProcessor.from_pretrained(
            source, tokenizer=tokenizer or config.language_model_source
        )
        vision: Any = config.vision_config
        size = {"height": vision.image_size, "width": vision.image_size}
        processor.image_processor.size = size
    ids = processor.encoder().prepared.ids
    if config.image_token_id is not None and ids.image != (config.image_token_id,):
        raise CheckpointError(
            f"The tokenizer of {source} has {processor.image_tag} as number {ids.image[0]}, but "
            f"the model has it as {config.image_token_id}.\n"
            "It is another model's tokenizer. Give the one that the model was trained with."
        )
    return processor
