"""The settings of an OpenFlamingo checkpoint, read off the shapes in its one file."""

from __future__ import annotations

import copy
import re
from pathlib import Path

from transformers import PreTrainedConfig

from flamingo.foundation.errors import CheckpointError
from flamingo.model.checkpoints.open_flamingo_names import NUM_NEW_TOKENS, Names
from flamingo.model.checkpoints.tensor_files import TensorFiles
from flamingo.model.config import FlamingoConfig

_HEAD_DIM = 64
"""Width of an attention head, of resampler and gated layers; a constant of their code."""


def open_flamingo_config(
    source: str | Path,
    files: TensorFiles,
    names: Names,
    text: PreTrainedConfig,
    eye: PreTrainedConfig,
) -> FlamingoConfig:
    """Our settings of an OpenFlamingo, read off the shapes in its file.

    Args:
        source: what the user calls it.
        files: the checkpoint's.
        names: of the places in it.
        text: configuration of its language model.
        eye: configuration of its vision encoder.

    Raises:
        CheckpointError: something is missing from which a setting is read.
    """

    def shape(name: str) -> tuple[int, ...]:
        if name not in files:
            raise CheckpointError(
                f"{source} has no {name}, which every OpenFlamingo has. It is another kind of "
                "checkpoint, or incomplete."
            )
        return files.shape(name)

    resampled = [re.fullmatch(r"perceiver\.layers\.(\d+)\.0\.to_q\.weight", n) for n in files]
    depth = max((int(match[1]) + 1 for match in resampled if match is not None), default=0)
    num_latents, resampler_dim = shape("perceiver.latents")
    inner, _ = shape("perceiver.layers.0.0.to_q.weight")
    widened, _ = shape("perceiver.layers.0.1.1.weight")
    first = f"lang_encoder.{names.layers}.{names.places[0]}.gated_cross_attn_layer."
    rows = shape(f"lang_encoder.{names.table}")[0]
    text = copy.deepcopy(text)
    text.vocab_size = rows
    eoc, image, _ = range(rows - NUM_NEW_TOKENS, rows)
    steps = names.places[1:2] or (2 * names.places[0] + 1,)
    return FlamingoConfig(
        text,
        eye,
        vision_settings={"use_post_norm": False},
        resampler_dim=resampler_dim,
        resampler_layers=depth,
        resampler_heads=_heads(source, inner),
        resampler_head_dim=_HEAD_DIM,
        resampler_ffw_multiple=widened // resampler_dim,
        num_latents=num_latents,
        num_time_embeddings=0,
        activation="gelu",
        widen_visual_tokens=False,
        xattn_every=steps[0] - names.places[0],
        xattn_offset=names.places[0],
        xattn_heads=_heads(source, shape(f"{first}attn.to_q.weight")[0]),
        xattn_head_dim=_HEAD_DIM,
        xattn_ffw_dim=shape(f"{first}ff.1.weight")[0],
        xattn_visual_norm=False,
        new_token_ids=[eoc, image],
        image_token_id=image,
        eoc_token_id=eoc,
        has_changed_table=True,
    )


def _heads(source: str | Path, inner: int) -> int:
    if inner % _HEAD_DIM:
        raise CheckpointError(
            f"{source} has attention of {inner} channels, which are no heads of {_HEAD_DIM}, as "
            "all of OpenFlamingo's are. It is another project's checkpoint."
        )
    return inner // _HEAD_DIM
