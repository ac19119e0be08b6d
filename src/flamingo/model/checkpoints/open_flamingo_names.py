"""The names of an OpenFlamingo checkpoint's tensors, in ours."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from flamingo.foundation.errors import CheckpointError
from flamingo.model.checkpoints.tensor_files import TensorFiles
from flamingo.model.checkpoints.translation import Source, renamed
from flamingo.model.config import FlamingoConfig

NUM_NEW_TOKENS = 3
"""`<|endofchunk|>`, `<image>` and `<PAD>`, in the last rows of the table and in this order."""

_GATED = re.compile(r"lang_encoder\.(.+)\.(\d+)\.gated_cross_attn_layer\.(.+)")

_RESAMPLER_RULES = (
    (r"latents", "latents"),
    (r"norm\.(.*)", r"norm.\1"),
    (r"layers\.(\d+)\.features_norm\.(.*)", r"layers.\1.0.norm_media.\2"),
    (r"layers\.(\d+)\.latents_norm\.(.*)", r"layers.\1.0.norm_latents.\2"),
    (r"layers\.(\d+)\.attention\.to_queries\.weight", r"layers.\1.0.to_q.weight"),
    (r"layers\.(\d+)\.attention\.to_(?:keys|values)\.weight", r"layers.\1.0.to_kv.weight"),
    (r"layers\.(\d+)\.attention\.to_output\.weight", r"layers.\1.0.to_out.weight"),
    (r"layers\.(\d+)\.feed_forward\.norm\.(.*)", r"layers.\1.1.0.\2"),
    (r"layers\.(\d+)\.feed_forward\.widen\.weight", r"layers.\1.1.1.weight"),
    (r"layers\.(\d+)\.feed_forward\.narrow\.weight", r"layers.\1.1.3.weight"),
)

_GATED_RULES = (
    (r"alpha_xattn", "attn_gate"),
    (r"alpha_dense", "ff_gate"),
    (r"text_norm\.(.*)", r"attn.norm.\1"),
    (r"attention\.to_queries\.weight", "attn.to_q.weight"),
    (r"attention\.to_(?:keys|values)\.weight", "attn.to_kv.weight"),
    (r"attention\.to_output\.weight", "attn.to_out.weight"),
    (r"feed_forward\.norm\.(.*)", r"ff.0.\1"),
    (r"feed_forward\.widen\.weight", "ff.1.weight"),
    (r"feed_forward\.narrow\.weight", "ff.3.weight"),
)


@dataclass(frozen=True)
class Names:
    """How an OpenFlamingo checkpoint calls the places of its language model.

    Attributes:
        layers: the list of decoder layers.
        places: the decoder layers that have a gated layer before them.
        table: the input embedding.
        head: the output head's own weight, where it is not the table's.
    """

    layers: str
    places: tuple[int, ...]
    table: str
    head: str | None


def names_in(
    files: TensorFiles, source: str | Path, layers: str, table: str, head: str | None
) -> Names:
    """Finds the gated layers.

    Args:
        files: the checkpoint's.
        source: what the user calls it.
        layers: name of the language model's list of decoder layers.
        table: name of the language model's input embedding.
        head: name of its output head, if that has a weight of its own.

    Raises:
        CheckpointError: there are none, or not one every n layers, or they are in another language
            model's layers.
    """
    found = [match for match in map(_GATED.fullmatch, files) if match is not None]
    lists = sorted({match[1] for match in found})
    if len(lists) != 1:
        raise CheckpointError(
            f"{source} has gated layers in {len(lists)} lists of decoder layers "
            f"({', '.join(lists) or 'none'}), where an OpenFlamingo has them in one.\n"
            "Its names begin with 'lang_encoder.….gated_cross_attn_layer.'. The first names here: "
            f"{', '.join(list(files)[:4]) or '(none)'}."
        )
    places = tuple(sorted({int(match[2]) for match in found}))
    steps = {later - earlier for earlier, later in itertools.pairwise(places)}
    if len(steps) > 1:
        raise CheckpointError(
            f"{source} has gated layers before the decoder layers {list(places)}, which are not "
            "one every n layers. It is not as OpenFlamingo makes them, or incomplete."
        )
    if lists[0] != layers:
        raise CheckpointError(
            f"{source} was trained in a language model whose decoder layers are called "
            f"{lists[0]}, but those of the one that was given are called {layers}.\n"
            "Give the language model that it was trained with."
        )
    return Names(layers, places, table, head)


def bridge_source(config: FlamingoConfig, files: TensorFiles, names: Names, name: str) -> Source:
    """Where a tensor of our resampler or of our gated layers is."""
    head, _, rest = name.partition(".")
    if head == "resampler":
        theirs = "perceiver." + renamed(rest, _RESAMPLER_RULES)
    else:
        number, _, part = rest.partition(".")
        place = config.xattn_offset + int(number) * config.xattn_every
        theirs = f"lang_encoder.{names.layers}.{place}.gated_cross_attn_layer."
        theirs += renamed(part, _GATED_RULES)
    rows = None
    if theirs.endswith("to_kv.weight") and theirs in files:
        half = files.shape(theirs)[0] // 2
        rows = (0, half) if ".to_keys." in name else (half, 2 * half)
    return Source(files, theirs, rows)


def new_token_source(files: TensorFiles, table: str) -> Source:
    """Where the rows of `<|endofchunk|>` and `<image>` are, in a table that has `<PAD>` last."""
    rows = files.shape(table)[0]
    return Source(files, table, (rows - NUM_NEW_TOKENS, rows - 1))
