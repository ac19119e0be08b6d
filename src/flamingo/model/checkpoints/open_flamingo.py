"""OpenFlamingo checkpoints: one file of what was trained, its settings read off its shapes.

The file names neither the language model nor the vision encoder, and holds neither: only the
resampler, the gated layers inside of the language model's layers, and the whole table of
embeddings, in which the rows of its three new tokens come last.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    CLIPVisionConfig,
    PreTrainedConfig,
    PreTrainedModel,
)

from flamingo.foundation.errors import CheckpointError, reason
from flamingo.model.checkpoints.open_flamingo_names import (
    NUM_NEW_TOKENS,
    bridge_source,
    names_in,
    new_token_source,
)
from flamingo.model.checkpoints.open_flamingo_settings import open_flamingo_config
from flamingo.model.checkpoints.placing import load_language_model
from flamingo.model.checkpoints.released_checkpoint import ReleasedCheckpoint
from flamingo.model.checkpoints.tensor_file import LoadedTensors, tensor_file
from flamingo.model.checkpoints.tensor_files import TensorFiles, contents_of, located
from flamingo.model.checkpoints.translation import Checked, Source
from flamingo.model.language_model import Host
from flamingo.model.vision_encoder import VisionEncoder

WEIGHTS = "checkpoint.pt"

_TOWER = "openai/clip-vit-large-patch14"
RELEASED: Mapping[str, tuple[str, str]] = {
    "OpenFlamingo-3B-vitl-mpt1b": ("anas-awadalla/mpt-1b-redpajama-200b", _TOWER),
    "OpenFlamingo-3B-vitl-mpt1b-langinstruct": (
        "anas-awadalla/mpt-1b-redpajama-200b-dolly",
        _TOWER,
    ),
    "OpenFlamingo-4B-vitl-rpj3b": ("togethercomputer/RedPajama-INCITE-Base-3B-v1", _TOWER),
    "OpenFlamingo-4B-vitl-rpj3b-langinstruct": (
        "togethercomputer/RedPajama-INCITE-Instruct-3B-v1",
        _TOWER,
    ),
    "OpenFlamingo-9B-vitl-mpt7b": ("anas-awadalla/mpt-7b", _TOWER),
}
"""By the last part of a released checkpoint's name: its language model and its vision encoder."""

_TOWER_PREFIX = "vision_encoder.body.tower."

_OLD_NAMES = {"lm_head.weight": "embed_out.weight"}
"""As GPT-NeoX' head is called in files, whatever transformers calls it in memory."""

_UNUSED_BY_LM = (
    r".*rotary_emb\.inv_freq",
    r".*\.attention\.(?:bias|masked_bias)",
    r"(?:lm_head|embed_out)\.weight",
)
"""Tables that older versions of transformers wrote, and the head of a model that ties it."""

_UNUSED_BY_EYE = (
    r"(?:text_model|text_projection|visual_projection)\..*",
    r"logit_scale",
    r".*position_ids",
)
"""The other half of a CLIP."""


class OpenFlamingoCheckpoint(ReleasedCheckpoint):
    """A checkpoint of OpenFlamingo, and the two frozen models that it was trained between.

    Args:
        source: a folder or a hub name.
        language_model: where its language model is, or the model itself; by default the one that
            was released with it.
        vision_encoder: the same for its vision encoder.

    Raises:
        CheckpointError: a file is missing or damaged, or the parts do not belong together.
    """

    def __init__(
        self,
        source: str | Path,
        language_model: str | Path | PreTrainedModel | None = None,
        vision_encoder: str | Path | VisionEncoder | None = None,
    ) -> None:
        known = RELEASED.get(Path(source).name, (None, None))
        self.language_model = _given(source, "language_model", language_model or known[0])
        self.vision_encoder = _given(source, "vision_encoder", vision_encoder or known[1])
        path = located(source, WEIGHTS)
        if path is None:
            raise CheckpointError(f"{source} has no {WEIGHTS}. {contents_of(source)}")
        self.files = TensorFiles([tensor_file(path)])
        self.lm_files = _tensors(self.language_model)
        self.eye_files = _tensors(self.vision_encoder)
        text, layers, table, head, self._lm_names = _places(self.language_model)
        self.names = names_in(self.files, source, layers, table, head)
        config = open_flamingo_config(
            source, self.files, self.names, text, _eye_config(self.vision_encoder)
        )
        config.language_model_source = _name_of(self.language_model)
        config.vision_encoder_source = _name_of(self.vision_encoder)
        eoc, image = config.new_token_ids
        eos = getattr(text, "eos_token_id", None)
        super().__init__(
            str(source),
            config,
            suppressed=[image, image + 1],
            stops=[eoc, *(eos if isinstance(eos, list) else [eos] if eos is not None else [])],
            pad=image + 1,
        )

    def source_of(self, name: str) -> Source:
        """Where a tensor of ours is: in the checkpoint, or in one of the frozen models' files."""
        names, table = self.names, f"lang_encoder.{self.names.table}"
        if name.startswith(("resampler.", "gated_xattn_dense.")):
            return bridge_source(self.config, self.files, names, name)
        if name == "new_tokens.input_rows":
            return new_token_source(self.files, table)
        if name == f"language_model.{names.table}":
            return Source(self.files, table)
        if names.head is not None and name == "new_tokens.output_rows":
            return self._head_rows(NUM_NEW_TOKENS, 1)
        if names.head is not None and name == f"language_model.{names.head}":
            return self._head_rows(self._rows, 0)
        if name.startswith("language_model."):
            return _lm_source(self.lm_files, name.removeprefix("language_model."))
        part = name.removeprefix(_TOWER_PREFIX)
        in_clip = f"vision_model.{part}"
        return Source(self.eye_files, in_clip if in_clip in self.eye_files else part)

    def checked(self) -> list[Checked]:
        """Its file and those of the frozen models, and what in them is not for us."""
        layers, names = re.escape(self.names.layers), self.names
        replaced = [re.escape(name) for name in (names.table, names.head) if name is not None]
        return [
            Checked(
                self.source,
                self.files,
                (
                    # What trainings left unfiltered: tensors twice, and frozen ones.
                    r"lang_encoder\.old_decoder_blocks\..*",
                    r"lang_encoder\.gated_cross_attn_layers\..*",
                    rf"lang_encoder\.{layers}\.\d+\.decoder_layer\..*",
                    r"lang_encoder\.lm_head\.weight",
                    r"vision_encoder\..*",
                    *(rf"lang_encoder\.{re.escape(name)}" for name in self._lm_names),
                ),
            ),
            Checked(str(self.language_model), self.lm_files, (*_UNUSED_BY_LM, *replaced)),
            Checked(str(self.vision_encoder), self.eye_files, _UNUSED_BY_EYE),
        ]

    def load_language_model(self, **options: Any) -> PreTrainedModel:
        """The language model, its table of embeddings as the checkpoint has it."""
        given = self.language_model
        model = (
            given
            if isinstance(given, PreTrainedModel)
            else load_language_model(str(given), **options)
        )
        model.resize_token_embeddings(self._rows, mean_resizing=False)
        _put(model.get_input_embeddings(), Source(self.files, f"lang_encoder.{self.names.table}"))
        if self.names.head is not None:
            _put(model.get_output_embeddings(), self._head_rows(self._rows, 0))
        return model

    def load_vision_encoder(self, dtype: torch.dtype | None = None) -> VisionEncoder:
        """The vision encoder."""
        if isinstance(self.vision_encoder, VisionEncoder):
            return self.vision_encoder
        return super().load_vision_encoder(dtype)

    @property
    def _rows(self) -> int:
        return self.files.shape(f"lang_encoder.{self.names.table}")[0]

    def _head_rows(self, first: int, last: int) -> Source:
        """Rows of the head, counted from the table's end; the language model's own if need be."""
        assert self.names.head is not None
        found = _lm_source(self.files, self.names.head, "lang_encoder.")
        if found.name not in self.files:
            found = _lm_source(self.lm_files, self.names.head)
        known = found.files.shape(found.name)[0] if found.name in found.files else self._rows
        if known < self._rows:
            raise CheckpointError(
                f"{self.source} has {self._rows} rows of embeddings, but {found.name} of its "
                f"language model has {known}, and it holds no head of its own: what its new "
                "tokens' logits are made of is nowhere. In OpenFlamingo these rows are random each "
                "time it is loaded.\nAdd lang_encoder.lm_head.weight to the file, with all rows."
            )
        return replace(found, rows=(self._rows - first, self._rows - last))


def _given(source: str | Path, part: str, given: Any) -> Any:
    if given is None:
        raise CheckpointError(
            f"{source} is an OpenFlamingo checkpoint, which does not say what its {part} is.\n"
            f"Give it: {part}=FOLDER or a hub name (--{part.replace('_', '-')} on the command "
            f"line). It is known where the last part of the name is one of {', '.join(RELEASED)}."
        )
    return str(given) if isinstance(given, Path) else given


def _tensors(part: str | nn.Module) -> TensorFiles:
    if isinstance(part, str):
        return TensorFiles.open(part)
    weights = {name.removeprefix("body.tower."): t for name, t in part.state_dict().items()}
    return TensorFiles([LoadedTensors(type(part).__name__, weights)])


def _lm_source(files: TensorFiles, name: str, prefix: str = "") -> Source:
    """A tensor of a language model, under its name of today or under that of its first releases."""
    old_name = prefix + _OLD_NAMES.get(name, name)
    return Source(files, old_name if old_name in files else prefix + name)


def _places(
    language_model: str | PreTrainedModel,
) -> tuple[PreTrainedConfig, str, str, str | None, list[str]]:
    """A language model's configuration, the names of its layers, table and head, and of all."""
    if isinstance(language_model, str):
        try:
            config = AutoConfig.from_pretrained(language_model)
            with torch.device("meta"):
                model = AutoModelForCausalLM.from_config(config)
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"The language model {language_model} cannot be read: {reason(error)}\n"
                "Give a folder with a causal language model of transformers, or a hub name."
            ) from error
    else:
        model = language_model
    host = Host.of(model)
    modules = {id(module): name for name, module in model.named_modules()}
    head = None if host.is_tied else f"{modules[id(host.head)]}.weight"
    return (
        model.config,
        modules[id(host.layers)],
        f"{modules[id(host.embedding)]}.weight",
        head,
        [name for name, _ in model.named_parameters()],
    )


def _eye_config(vision_encoder: str | VisionEncoder) -> PreTrainedConfig:
    if isinstance(vision_encoder, VisionEncoder):
        return vision_encoder.config
    try:
        config = AutoConfig.from_pretrained(vision_encoder)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"The vision encoder {vision_encoder} cannot be read: {reason(error)}\n"
            "Give a folder with a CLIP of transformers, or a hub name."
        ) from error
    eye: PreTrainedConfig = getattr(config, "vision_config", config)
    if not isinstance(eye, CLIPVisionConfig):
        raise CheckpointError(
            f"The vision encoder {vision_encoder} is a model of the type {config.model_type!r}, "
            "but that of an OpenFlamingo is a CLIP.\n"
            "Give a folder with a CLIP of transformers, or a hub name."
        )
    return eye


def _name_of(part: str | nn.Module) -> str | None:
    if not isinstance(part, str):
        return None
    path = Path(part).expanduser()
    return str(path.resolve()) if path.is_dir() else part


def _put(module: nn.Module, source: Source) -> None:
    """Fills a table that has been made as large as the checkpoint's."""
    weight = cast(Tensor, module.weight)
    with torch.no_grad():
        weight.copy_(source.read())
