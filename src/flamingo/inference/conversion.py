"""Turns a released checkpoint into a folder of ours, whatever its size, one tensor at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerBase

from flamingo.foundation.errors import CheckpointError
from flamingo.inference.processors import processor_for
from flamingo.model.checkpoints.assembly import tensor_shapes
from flamingo.model.checkpoints.released import released_checkpoint
from flamingo.model.checkpoints.released_checkpoint import ReleasedCheckpoint
from flamingo.model.checkpoints.tensor_file import TensorFile
from flamingo.model.checkpoints.tensor_writer import (
    INDEX,
    Planned,
    shard_names,
    shards_of,
    write_index,
    write_shard,
)
from flamingo.model.checkpoints.translation import Translation, in_order
from flamingo.model.flamingo import FlamingoForConditionalGeneration

SHARD_BYTES = 4_000_000_000
"""Of a file at most, unless a single tensor is larger."""


def convert(
    source: str | Path,
    target: Path,
    *,
    language_model: str | Path | None = None,
    vision_encoder: str | Path | None = None,
    tokenizer: str | Path | PreTrainedTokenizerBase | None = None,
    dtype: torch.dtype | None = None,
    shard_bytes: int = SHARD_BYTES,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> None:
    """Writes a released checkpoint as `save_pretrained(full=True)` would, with its processor.

    Tensors go from file to file, so that no more than one of them is held at a time. What breaks
    off goes on where it was: files that are whole are kept.

    Args:
        source: a folder or a hub name, of an OpenFlamingo or an IDEFICS.
        target: a folder; made if it is not there.
        language_model: of an OpenFlamingo: where its language model is, if not the released one.
        vision_encoder: the same for its vision encoder.
        tokenizer: of an OpenFlamingo, by default the language model's.
        dtype: of the weights in the target; that of the source by default.
        shard_bytes: of a file at most.
        progress: is called with the bytes that are written, and all that there will be.

    Raises:
        CheckpointError: the source is none of these, incomplete, damaged, or holds code; or the
            target holds something else.
    """
    checkpoint = released_checkpoint(
        source, language_model=language_model, vision_encoder=vision_encoder
    )
    if checkpoint is None:
        raise CheckpointError(
            f"{source} is not a checkpoint of OpenFlamingo (checkpoint.pt and no config.json) "
            "or IDEFICS (config.json with model_type 'idefics'), so there is nothing to convert.\n"
            "A model of ours is loaded as it is."
        )
    _check_target(target)
    # Made before hours of copying, and not after.
    processor = processor_for(source, checkpoint.config, tokenizer)
    config = checkpoint.config
    config.dtype = write_weights(
        checkpoint, target, dtype=dtype, shard_bytes=shard_bytes, progress=progress
    )
    processor.save_pretrained(target)
    checkpoint.generation_config.save_pretrained(target)
    config.contents = "everything"
    config.architectures = [FlamingoForConditionalGeneration.__name__]
    # Last: a folder without it is not taken for a model.
    config.save_pretrained(target)


def write_weights(
    checkpoint: ReleasedCheckpoint,
    target: Path,
    *,
    dtype: torch.dtype | None = None,
    shard_bytes: int = SHARD_BYTES,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> torch.dtype:
    """Writes the weights of a checkpoint under our names.

    Args:
        checkpoint: of which nothing is read yet.
        target: a folder; made if it is not there.
        dtype: of the weights there; that of the files by default.
        shard_bytes: of a file at most.
        progress: see `convert`.

    Returns:
        The number format of most of the weights.

    Raises:
        CheckpointError: the checkpoint is not exactly what its settings say, or the target holds
            other weights.
    """
    shapes = tensor_shapes(FlamingoForConditionalGeneration, checkpoint.config)
    translation = checkpoint.translation(shapes)
    planned = [
        Planned(name, shapes[name], dtype or translation[name].dtype)
        for name in in_order(translation)
    ]
    shards = shards_of(planned, shard_bytes)
    names = shard_names(len(shards))
    _check_weights(target, names)
    target.mkdir(parents=True, exist_ok=True)
    total = sum(tensor.num_bytes for tensor in planned)
    made_of = checkpoint.identity()
    read = _one_file_at_a_time(translation)
    done = 0
    for name, shard in zip(names, shards, strict=True):

        def written(num_bytes: int, before: int = done) -> None:
            progress(before + num_bytes, total)

        write_shard(target / name, shard, read, made_of, written)
        done += sum(tensor.num_bytes for tensor in shard)
        progress(done, total)
    if len(shards) > 1:
        write_index(target, dict(zip(names, shards, strict=True)))
    sizes = Counter[torch.dtype]()
    for tensor in planned:
        sizes[tensor.dtype] += tensor.num_bytes
    return sizes.most_common(1)[0][0]


def _one_file_at_a_time(translation: Translation) -> Callable[[str], torch.Tensor]:
    """Reads tensors of ours; a file is mapped only until it is the next one's turn."""
    last: list[TensorFile] = []

    def read(name: str) -> torch.Tensor:
        source = translation[name]
        file = source.files.file_of(source.name)
        if file not in last:
            while last:
                last.pop().close()
            last.append(file)
        return source.read()

    return read


def _check_target(target: Path) -> None:
    if target.is_file():
        raise CheckpointError(f"{target} is a file. Name a folder for the converted model.")
    if (target / "config.json").is_file():
        raise CheckpointError(
            f"{target} holds a model already (config.json). Name another folder, or remove it."
        )


def _check_weights(target: Path, names: Sequence[str]) -> None:
    """Refuses a folder in which other weights would be taken for a part of the model."""
    own = {*names, *(f"{name}.partial" for name in names), *([INDEX] if len(names) > 1 else [])}
    found = [*target.glob("model*.safetensors*"), *target.glob("pytorch_model*")]
    if others := sorted(path.name for path in found if path.name not in own):
        raise CheckpointError(
            f"{target} holds weights that are not of this conversion: {', '.join(others[:4])} "
            f"({len(others)} in all), as one that broke off with another --dtype leaves them.\n"
            "Remove them, convert as then, or name another folder."
        )
