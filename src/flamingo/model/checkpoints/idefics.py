"""IDEFICS checkpoints: their settings and names, in ours.

IDEFICS is a Flamingo of Hugging Face: a LLaMA, OpenCLIP's ViT-H/14 with its class token and without
its last norm, no time in the resampler, norms on queries and keys, and gated layers that are made
like LLaMA's own (RMS norms, SwiGLU).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import CLIPVisionConfig, IdeficsConfig, LlamaConfig, PreTrainedModel

from flamingo.foundation.errors import CheckpointError
from flamingo.model.checkpoints.idefics_names import IGNORED, idefics_name
from flamingo.model.checkpoints.placing import load_language_model
from flamingo.model.checkpoints.released_checkpoint import ReleasedCheckpoint
from flamingo.model.checkpoints.tensor_files import TensorFiles, json_of, located
from flamingo.model.checkpoints.translation import Checked, Source
from flamingo.model.config import FlamingoConfig

MODEL_TYPE = "idefics"

_GATED_ACTIVATIONS = {"silu": "swiglu", "swish": "swiglu", "gelu": "geglu"}


class IdeficsCheckpoint(ReleasedCheckpoint):
    """A checkpoint of IDEFICS, which holds all of its parts.

    Args:
        source: a folder or a hub name.
        settings: its `config.json`.

    Raises:
        CheckpointError: a file is missing or damaged, or it is none of the released kind.
    """

    def __init__(self, source: str | Path, settings: Mapping[str, Any]) -> None:
        config = idefics_config(source, settings)
        self.files = TensorFiles.open(source)
        text: Any = config.text_config
        stops = [text.eos_token_id, config.eoc_token_id]
        super().__init__(
            str(source),
            config,
            suppressed=[id for id in config.new_token_ids if id != config.eoc_token_id],
            stops=[id for id in stops if id is not None],
            pad=text.pad_token_id,
        )

    def source_of(self, name: str) -> Source:
        """Where a tensor of ours is in it."""
        is_vector = ".alpha_" in name and self.config.gate_shape == "vector"
        return Source(self.files, idefics_name(name), is_flat=is_vector)

    def checked(self) -> list[Checked]:
        """Its files, and what in them is not for us."""
        return [Checked(self.source, self.files, IGNORED)]

    def load_language_model(self, **options: Any) -> PreTrainedModel:
        """Its LLaMA."""
        return load_language_model(self.source, config=self.config.text_config, **options)


def idefics_config(source: str | Path, settings: Mapping[str, Any]) -> FlamingoConfig:
    """Our settings of an IDEFICS.

    Every value is the checkpoint's own. What a `config.json` leaves out is what transformers reads
    there, which wrote it that way.

    Args:
        source: what the user calls the checkpoint; its tokenizer's files may tell token ids.
        settings: its `config.json`.

    Raises:
        CheckpointError: it is an IDEFICS that nobody has released, such as one without a resampler.
    """
    theirs: Any = IdeficsConfig.from_dict(dict(settings))
    vision, perceiver = theirs.vision_config, theirs.perceiver_config
    if not theirs.use_resampler:
        raise CheckpointError(
            f"{source} has use_resampler=false, an IDEFICS without a Perceiver Resampler, which "
            "cannot be read here. All released ones have one; look at its config.json."
        )
    if theirs.hidden_act not in _GATED_ACTIVATIONS:
        raise CheckpointError(
            f"{source} has hidden_act={theirs.hidden_act!r}, which gated layers do not have here. "
            f"Known: {', '.join(_GATED_ACTIVATIONS)}."
        )
    first_new = int(theirs.vocab_size)
    new = list(range(first_new, first_new + int(theirs.additional_vocab_size)))
    text = LlamaConfig(
        vocab_size=theirs.vocab_size,
        hidden_size=theirs.hidden_size,
        intermediate_size=theirs.intermediate_size,
        num_hidden_layers=theirs.num_hidden_layers,
        num_attention_heads=theirs.num_attention_heads,
        num_key_value_heads=theirs.num_attention_heads,
        hidden_act=theirs.hidden_act,
        rms_norm_eps=theirs.rms_norm_eps,
        max_position_embeddings=theirs.max_position_embeddings,
        tie_word_embeddings=theirs.tie_word_embeddings,
        rope_parameters=theirs.rope_parameters,
        pad_token_id=theirs.pad_token_id,
        bos_token_id=theirs.bos_token_id,
        eos_token_id=theirs.eos_token_id,
    )
    eye = CLIPVisionConfig(
        hidden_size=vision.embed_dim,
        intermediate_size=vision.intermediate_size,
        num_hidden_layers=vision.num_hidden_layers,
        num_attention_heads=vision.num_attention_heads,
        num_channels=vision.num_channels,
        image_size=vision.image_size,
        patch_size=vision.patch_size,
        hidden_act=vision.hidden_act,
        layer_norm_eps=vision.layer_norm_eps,
    )
    return FlamingoConfig(
        text,
        eye,
        vision_settings={"keep_cls": True, "use_post_norm": False},
        resampler_layers=perceiver.resampler_depth,
        resampler_heads=perceiver.resampler_n_heads,
        resampler_head_dim=perceiver.resampler_head_dim,
        resampler_activation="relu",
        resampler_qk_norm="layer" if perceiver.qk_layer_norms_perceiver else None,
        num_latents=perceiver.resampler_n_latents,
        num_time_embeddings=0,
        widen_visual_tokens=False,
        xattn_every=theirs.cross_layer_interval,
        xattn_ffw_dim=theirs.intermediate_size,
        xattn_activation=_GATED_ACTIVATIONS[theirs.hidden_act],
        xattn_norm="rms",
        xattn_norm_eps=theirs.rms_norm_eps,
        xattn_visual_norm=False,
        xattn_qk_norm="rms" if theirs.qk_layer_norms else None,
        gate_shape="vector" if theirs.alpha_type == "vector" else "scalar",
        new_token_ids=new,
        image_token_id=_image_id(source, new),
        eoc_token_id=_known_ids(source).get("<end_of_utterance>"),
        dtype=settings.get("dtype", settings.get("torch_dtype")),
    )


def _image_id(source: str | Path, new: list[int]) -> int:
    """By the tokenizer's own files; behind the fake token, as in all released ones, if not."""
    known = _known_ids(source)
    if "<image>" in known:
        return known["<image>"]
    if len(new) < 2:
        raise CheckpointError(
            f"{source} has additional_vocab_size={len(new)}, but its tokens for images are two: "
            "<fake_token_around_image> and <image>. Look at its config.json."
        )
    return new[1]


def _known_ids(source: str | Path) -> dict[str, int]:
    """The ids of the added tokens, as far as the tokenizer's files are there and tell."""
    added = located(source, "added_tokens.json")
    if added is not None:
        return dict(json_of(added))
    whole = located(source, "tokenizer.json")
    if whole is None:
        return {}
    tokens = json_of(whole).get("added_tokens", [])
    return {token["content"]: int(token["id"]) for token in tokens}
