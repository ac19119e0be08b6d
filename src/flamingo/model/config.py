"""The settings of a Flamingo model, as transformers stores them."""

from __future__ import annotations

import copy
from typing import Any

from transformers import AutoConfig, PreTrainedConfig

from flamingo.foundation.errors import ConfigError

CHOICES = {
    "gating": ("tanh", "none"),
    "xattn_at": (None, "middle"),
    "xattn_kind": ("gated_xattn_dense", "vanilla", "grafting"),
    "resampler_kind": ("perceiver", "mlp", "transformer"),
    "sees": ("last", "all_previous"),
    "xattn_norm": ("layer", "rms"),
    "xattn_qk_norm": (None, "layer", "rms"),
    "resampler_qk_norm": (None, "layer", "rms"),
    "gate_shape": ("scalar", "vector"),
    "contents": ("everything", "trained"),
}
"""Settings that are one of a few words. The first is the default."""

_OF_GATED_LAYERS = {
    "gate_shape": "scalar",
    "xattn_norm": "layer",
    "xattn_norm_eps": 1e-5,
    "xattn_visual_norm": True,
    "xattn_qk_norm": None,
    "xattn_ffw_dim": None,
}
"""Settings of `GatedXattnDense` alone, with their defaults."""

_OF_PERCEIVER = ("resampler_qk_norm", "resampler_positions", "resampler_local_latents")

_WITHOUT_EFFECT = (
    ("xattn_kind", "grafting", (*_OF_GATED_LAYERS, "xattn_offset", "xattn_at")),
    ("xattn_kind", "vanilla", ("xattn_ffw_dim", "xattn_activation")),
    ("xattn_at", "middle", ("xattn_offset",)),
    ("resampler_kind", "mlp", _OF_PERCEIVER),
    ("resampler_kind", "transformer", _OF_PERCEIVER),
)
"""A choice, and settings that would do nothing, or half of what they say, beside it."""


class FlamingoConfig(PreTrainedConfig):
    """Everything that is needed to build a Flamingo, apart from weights.

    Args:
        text_config: configuration of the language model (any transformers causal LM).
        vision_config: configuration of the vision encoder (an `NFNetConfig`, or the vision
            configuration of a CLIP- or SigLIP-style model).
        vision_settings: further settings of the vision encoder, see `build_vision_encoder`.
        resampler_dim: width of the resampler's latents; `None` takes the encoder's width.
        resampler_layers: layers of the resampler.
        resampler_heads: its attention heads.
        resampler_head_dim: width of one of them.
        resampler_ffw_multiple: hidden width of its feed-forward divided by its width.
        resampler_kind: "perceiver"; or what the paper holds against it with as many parameters: an
            "mlp" or a "transformer", see `variants.resamplers`.
        resampler_activation: of its feed-forward; `None` takes `activation`.
        resampler_qk_norm: norm of its queries and keys, head by head: "layer" in IDEFICS.
        resampler_positions: positions of a frame with a learned embedding, added to features
            whose encoder does not say enough of where they are; 0 in the paper.
        resampler_local_latents: latents that begin with the features of one region each, so that
            what stands in one place stays together; 0 in the paper.
        num_latents: visual tokens per visual (the paper's R).
        num_time_embeddings: frames with a learned time embedding (8 in the paper).
        xattn_every: a gated layer stands before decoder layers 0, n, 2n, …
        xattn_offset: the first decoder layer that has one, instead of layer 0; n - 1 in
            OpenFlamingo.
        xattn_at: `None` follows `xattn_every`; "middle" has a single gated layer, before the middle
            decoder layer, and does not ask `xattn_every`.
        xattn_kind: how text looks at visuals: "gated_xattn_dense" before decoder layers; "vanilla"
            cross-attention inside of them, without a feed-forward of its own; "grafting" of new
            layers on top of the untouched LM. See `variants`.
        grafted_layers: of `xattn_kind="grafting"`, pairs of self-attention and cross-attention;
            `None` takes half of the LM's layers and one.
        xattn_heads: attention heads of a gated layer; `None` takes the LM's.
        xattn_head_dim: width of one of them; `None` takes the LM's width divided by its heads.
        xattn_ffw_multiple: hidden width of a gated layer's feed-forward divided by the LM's width.
        xattn_ffw_dim: that hidden width itself, where it is not such a multiple.
        xattn_activation: of a gated layer's feed-forward; `None` takes `activation`. "swiglu" in
            IDEFICS.
        xattn_norm: norm of the text in a gated layer: "layer", or "rms" as in IDEFICS.
        xattn_norm_eps: what the norms of a gated layer add to the variance.
        xattn_visual_norm: whether a gated layer normalizes visual tokens; not in OpenFlamingo and
            IDEFICS.
        xattn_qk_norm: norm of a gated layer's queries and keys, head by head: "rms" in IDEFICS.
        gating: "tanh" opens each new layer through gates that start closed; "none" adds what it
            says as it is.
        gate_shape: "scalar" has one α per gate, "vector" one per channel.
        sees: "last" lets a token see the visual that φ names; "all_previous" the visuals 1 to φ.
        activation: of all new feed-forward layers, see `feed_forward.ACTIVATIONS`.
        widen_visual_tokens: whether a linear map brings visual tokens to the LM's width before
            the gated layers read them (where the widths differ).
        new_token_ids: ids of the tokens that the frozen LM does not know, whose rows are trained.
        image_token_id: the id of `<image>`; it is never generated.
        eoc_token_id: the id of `<EOC>`, which ends an answer.
        freeze_language_model: whether the LM keeps its weights and stays in evaluation mode.
        freeze_vision_encoder: the same for the vision encoder.
        language_model_source: where the frozen LM was loaded from: a folder or a hub name.
        vision_encoder_source: the same for the vision encoder.
        has_changed_table: whether the frozen LM has other embeddings than at its source, so that
            only a checkpoint of everything holds them.
        contents: "everything", or "trained" for a checkpoint that holds the trained parts only
            and takes the frozen ones from their sources.

    Raises:
        ConfigError: a setting is out of its range.

    Paper: Table 4 (v2), Table 13 (v1), App. A.1; Tables 3 and 10 (v2) for the variants.
    """

    model_type = "flamingo"
    sub_configs = {"text_config": AutoConfig, "vision_config": AutoConfig}  # noqa: RUF012

    def __init__(
        self,
        text_config: PreTrainedConfig | dict[str, Any] | None = None,
        vision_config: PreTrainedConfig | dict[str, Any] | None = None,
        *,
        vision_settings: dict[str, Any] | None = None,
        resampler_dim: int | None = None,
        resampler_layers: int = 6,
        resampler_heads: int = 16,
        resampler_head_dim: int = 128,
        resampler_ffw_multiple: int = 4,
        resampler_kind: str = "perceiver",
        resampler_activation: str | None = None,
        resampler_qk_norm: str | None = None,
        resampler_positions: int = 0,
        resampler_local_latents: int = 0,
        num_latents: int = 64,
        num_time_embeddings: int = 8,
        xattn_every: int = 1,
        xattn_offset: int = 0,
        xattn_at: str | None = None,
        xattn_kind: str = "gated_xattn_dense",
        grafted_layers: int | None = None,
        xattn_heads: int | None = None,
        xattn_head_dim: int | None = None,
        xattn_ffw_multiple: int = 4,
        xattn_ffw_dim: int | None = None,
        xattn_activation: str | None = None,
        xattn_norm: str = "layer",
        xattn_norm_eps: float = 1e-5,
        xattn_visual_norm: bool = True,
        xattn_qk_norm: str | None = None,
        gating: str = "tanh",
        gate_shape: str = "scalar",
        sees: str = "last",
        activation: str = "squared_relu",
        widen_visual_tokens: bool = True,
        new_token_ids: list[int] | None = None,
        image_token_id: int | None = None,
        eoc_token_id: int | None = None,
        freeze_language_model: bool = True,
        freeze_vision_encoder: bool = True,
        language_model_source: str | None = None,
        vision_encoder_source: str | None = None,
        has_changed_table: bool = False,
        contents: str = "everything",
        **kwargs: Any,
    ) -> None:
        self.text_config = _as_config(text_config)
        self.vision_config = _as_config(vision_config)
        self.vision_settings = dict(vision_settings or {})
        self.resampler_dim = resampler_dim
        self.resampler_layers = resampler_layers
        self.resampler_heads = resampler_heads
        self.resampler_head_dim = resampler_head_dim
        self.resampler_ffw_multiple = resampler_ffw_multiple
        self.resampler_kind = resampler_kind
        self.resampler_activation = resampler_activation
        self.resampler_qk_norm = resampler_qk_norm
        self.resampler_positions = resampler_positions
        self.resampler_local_latents = resampler_local_latents
        self.num_latents = num_latents
        self.num_time_embeddings = num_time_embeddings
        self.xattn_every = xattn_every
        self.xattn_offset = xattn_offset
        self.xattn_at = xattn_at
        self.xattn_kind = xattn_kind
        self.grafted_layers = grafted_layers
        self.xattn_heads = xattn_heads
        self.xattn_head_dim = xattn_head_dim
        self.xattn_ffw_multiple = xattn_ffw_multiple
        self.xattn_ffw_dim = xattn_ffw_dim
        self.xattn_activation = xattn_activation
        self.xattn_norm = xattn_norm
        self.xattn_norm_eps = xattn_norm_eps
        self.xattn_visual_norm = xattn_visual_norm
        self.xattn_qk_norm = xattn_qk_norm
        self.gating = gating
        self.gate_shape = gate_shape
        self.sees = sees
        self.activation = activation
        self.widen_visual_tokens = widen_visual_tokens
        self.new_token_ids = list(new_token_ids or [])
        self.image_token_id = image_token_id
        self.eoc_token_id = eoc_token_id
        self.freeze_language_model = freeze_language_model
        self.freeze_vision_encoder = freeze_vision_encoder
        self.language_model_source = language_model_source
        self.vision_encoder_source = vision_encoder_source
        self.has_changed_table = has_changed_table
        self.contents = contents
        self._check()
        # An empty table leaves the attention of the nested configurations as it was chosen.
        kwargs.setdefault("attn_implementation", {})
        super().__init__(**kwargs)

    def get_text_config(self, *args: Any, **kwargs: Any) -> PreTrainedConfig:
        """The language model's configuration, with the vocabulary that the logits have here."""
        config = super().get_text_config(*args, **kwargs)
        if config is self or not self.new_token_ids:
            return config
        extended = copy.copy(config)
        extended.vocab_size = max(config.vocab_size, max(self.new_token_ids) + 1)
        return extended

    def _check(self) -> None:
        positive = ("resampler_layers", "resampler_heads", "resampler_head_dim", "num_latents")
        for name in (*positive, "xattn_every", "grafted_layers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(
                    f"{name} is {value}, but must be at least 1. Give a positive number."
                )
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                known = ", ".join(repr(word) for word in allowed)
                raise ConfigError(f"{name} is {value!r}, but must be one of {known}.")
        if self.xattn_offset < 0:
            raise ConfigError(
                f"xattn_offset is {self.xattn_offset}, but layers are counted from 0. "
                "Give the first layer that has a gated layer before it."
            )
        self._check_effect()

    def _check_effect(self) -> None:
        """Settings that would do nothing are refused: a run would not be what its name says."""
        zeros = ("xattn_offset", "resampler_positions", "resampler_local_latents")
        defaults = {**_OF_GATED_LAYERS, **dict.fromkeys(zeros, 0)}
        for choice, word, useless in _WITHOUT_EFFECT:
            for name in useless:
                value = getattr(self, name)
                if getattr(self, choice) == word and value != defaults.get(name):
                    raise ConfigError(
                        f"{name} is {value!r}, but has no effect, or only half of it, with "
                        f"{choice}={word!r}. Leave {name} out, or choose another {choice}."
                    )
        is_grafted = self.xattn_kind == "grafting"
        if not is_grafted and self.grafted_layers is not None:
            raise ConfigError(
                f"grafted_layers is {self.grafted_layers}, but xattn_kind is {self.xattn_kind!r}, "
                "which has none. Leave it out, or give xattn_kind='grafting'."
            )


def _as_config(config: PreTrainedConfig | dict[str, Any] | None) -> PreTrainedConfig | None:
    """A configuration object, from the plain dictionary that JSON gives."""
    if not isinstance(config, dict):
        return config
    settings = dict(config)
    model_type = settings.pop("model_type", None)
    if model_type is None:
        raise ConfigError(
            "A nested configuration has no 'model_type', so its class is unknown. "
            f"Its keys: {', '.join(sorted(settings)) or '(none)'}."
        )
    return AutoConfig.for_model(model_type, **settings)
