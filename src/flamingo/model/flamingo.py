"""The whole model: an ordinary transformers model around plain torch modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, GenerationMixin, PreTrainedModel
from transformers import initialization as init
from transformers.cache_utils import Cache
from transformers.modeling_outputs import CausalLMOutputWithPast

from flamingo.foundation.errors import ConfigError, SequenceError
from flamingo.model import parts
from flamingo.model.conditioning import (
    Conditioning,
    HeadExtender,
    checkpoint_conditioned,
    conditioned_on,
)
from flamingo.model.config import FlamingoConfig
from flamingo.model.freezing import freeze
from flamingo.model.gated_xattn_dense import GatedXattn
from flamingo.model.generation import FlamingoGeneration
from flamingo.model.language_model import Host, position_ids, silence_dropout
from flamingo.model.new_tokens import NewTokens
from flamingo.model.perceiver_resampler import PerceiverResampler
from flamingo.model.persistence import FlamingoPersistence
from flamingo.model.variants.grafting import GraftedSelfAttention
from flamingo.model.variants.linking import linked
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder
from flamingo.model.visuals import check_index, encode_visuals


class FlamingoForConditionalGeneration(FlamingoGeneration, FlamingoPersistence, GenerationMixin):
    """Predicts text from text interleaved with images and videos.

    Frozen vision encoder → Perceiver Resampler → GATED XATTN-DENSE layers inside a frozen
    language model. The language model is a stock one, a child under its own parameter names;
    gated layers run on what enters its decoder layers 0, n, 2n, … (or as `variants` say).

    Paper: Sec. 2, Fig. 3.
    """

    config_class = FlamingoConfig
    base_model_prefix = ""
    main_input_name = "input_ids"
    input_modalities = ("image", "video", "text")
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_attention_backend = True
    _no_split_modules = [  # noqa: RUF012
        "GatedXattnDense", "VanillaXattn", "GraftedLayer", "ResamplerLayer", "TransformerLayer",
    ]  # fmt: skip

    host: Host

    def __init__(
        self,
        config: FlamingoConfig,
        *,
        language_model: PreTrainedModel | None = None,
        vision_encoder: VisionEncoder | None = None,
    ) -> None:
        super().__init__(config)
        if config.text_config is None or config.vision_config is None:
            raise ConfigError(
                "FlamingoConfig needs both text_config and vision_config. "
                "Give the configurations of a causal language model and of a vision encoder."
            )
        self.vision_encoder = vision_encoder or build_vision_encoder(
            config.vision_config, **config.vision_settings
        )
        self.language_model = language_model or AutoModelForCausalLM.from_config(config.text_config)
        self.host = Host.of(self.language_model)
        self._build_bridge(config)
        self.post_init()
        # Some language models' configurations say no, and would read the prompt for every token.
        self.generation_config.use_cache = True
        self.freeze_pretrained()

    def _build_bridge(self, config: FlamingoConfig) -> None:
        """The new parts, and their links to the language model's layers and head."""
        self.resampler = parts.resampler(config, self.vision_encoder.width)
        self.widen = parts.widening(config, self.vision_encoder.width, self.host)
        self.gated_xattn_dense = parts.gated_layers(config, self.vision_encoder.width, self.host)
        self.new_tokens = parts.new_tokens(config, self.host)
        self.conditioners = linked(self.gated_xattn_dense, config, self.host, self.language_model)
        if self.new_tokens is not None:
            self.host.head.register_forward_hook(HeadExtender(self.new_tokens))

    # --- seeing -----------------------------------------------------------------------------

    def encode_visuals(
        self,
        pixel_values: Float[Tensor, "batch visuals frames 3 height width"] | None = None,
        frame_mask: Bool[Tensor, "batch visuals frames"] | None = None,
        visual_features: Float[Tensor, "batch visuals frames positions channels"] | None = None,
    ) -> Float[Tensor, "batch visuals latents dim"]:
        """Visual tokens of every image and video; zeros where a visual has no real frame.

        Raises:
            SequenceError: a visual's real frames do not come first, or features do not fit.
        """
        return encode_visuals(
            pixel_values,
            frame_mask,
            visual_features,
            encoder=self.vision_encoder,
            resampler=self.resampler,
            widen=self.widen,
            is_encoder_frozen=self.config.freeze_vision_encoder,
        )

    # --- reading ----------------------------------------------------------------------------

    def forward(
        self,
        input_ids: Int[Tensor, "batch tokens"] | None = None,
        attention_mask: Tensor | dict[str, Tensor | None] | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Float[Tensor, "batch tokens dim"] | None = None,
        labels: Int[Tensor, "batch tokens"] | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        pixel_values: Float[Tensor, "batch visuals frames 3 height width"] | None = None,
        frame_mask: Bool[Tensor, "batch visuals frames"] | None = None,
        visual_features: Float[Tensor, "batch visuals frames positions channels"] | None = None,
        visual_tokens: Float[Tensor, "batch visuals latents dim"] | None = None,
        visual_index: Int[Tensor, "batch indexed"] | None = None,
        keep_visuals: Literal["all", "last"] = "all",
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Logits of the next token at every position, and the loss where labels are given.

        Args:
            input_ids: token ids.
            attention_mask: 1 for real tokens, 0 for padding on either side; or masks as
                `generate` prepares them for a static cache.
            position_ids: by default counted over real tokens.
            past_key_values: keys and values of what was read before, visuals included.
            inputs_embeds: instead of `input_ids`.
            labels: token ids to predict, not shifted; -100 is left out of the loss.
            use_cache: whether to return keys and values for the next pass.
            logits_to_keep: how many last positions need logits; 0 for all.
            pixel_values: images and videos, normalized.
            frame_mask: marks the real frames among the padded ones; all by default.
            visual_features: instead of `pixel_values`, what the frozen encoder makes of them.
            visual_tokens: instead of `pixel_values`, what `encode_visuals` returned.
            visual_index: the paper's φ, per token the visual that it sees, from 1; 0 for none.
            keep_visuals: of which visuals the cache keeps keys and values; "last" where all tokens
                to come see the last one, or new ones.
            **kwargs: passed on to the language model.

        Raises:
            SequenceError: visuals and `visual_index` do not fit together.

        Paper: Eq. 1; φ in Sec. 2.3.
        """
        if inputs_embeds is None:
            if input_ids is None:
                raise SequenceError("Give either input_ids or inputs_embeds; both are missing.")
            inputs_embeds = self.embed(input_ids)
        if visual_tokens is None and not (pixel_values is None and visual_features is None):
            visual_tokens = self.encode_visuals(pixel_values, frame_mask, visual_features)
        check_index(visual_tokens, visual_index, inputs_embeds, keep_visuals)
        conditioning = Conditioning.prepare(
            visual_tokens,
            visual_index,
            past_key_values,
            num_latents=self.config.num_latents,
            num_lm_layers=len(self.host.layers),
            blocks=self.gated_xattn_dense,
            new_tokens=self.new_tokens,
            sees_all_previous=self.config.sees == "all_previous",
            attention_mask=attention_mask,
            logits_to_keep=logits_to_keep,
            keeps_last=keep_visuals == "last",
        )
        with conditioned_on(conditioning):
            output = self._read(
                inputs_embeds, attention_mask, position_ids, past_key_values, use_cache,
                logits_to_keep, kwargs,
            )  # fmt: skip
        if labels is not None:
            output.loss = self.loss_function(
                logits=output.logits, labels=labels, vocab_size=output.logits.shape[-1], **kwargs
            )
        return output

    def _read(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor | dict[str, Tensor | None] | None,
        positions: Tensor | None,
        cache: Cache | None,
        use_cache: bool | None,
        logits_to_keep: int | Tensor,
        kwargs: dict[str, Any],
    ) -> CausalLMOutputWithPast:
        """One pass of the stock language model, with what it accepts of the arguments."""
        if positions is None and isinstance(attention_mask, Tensor) and attention_mask.dim() == 2:
            positions = position_ids(attention_mask)[:, -inputs_embeds.shape[1] :]
        if self.training and self.is_activation_checkpointing:
            use_cache = False
        settings = {
            name: value
            for name, value in kwargs.items()
            if name not in ("num_items_in_batch", "return_dict")
        }
        arguments = self.host.supported(
            attention_mask=attention_mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=use_cache,
            # Grafted layers read every token, and cut behind that.
            logits_to_keep=None if self.config.xattn_kind == "grafting" else logits_to_keep,
        )
        output = self.language_model(
            inputs_embeds=inputs_embeds, return_dict=True, **arguments, **settings
        )
        # Families return classes of their own; these are the fields that all of them have.
        return CausalLMOutputWithPast(
            logits=output.logits,
            past_key_values=output.get("past_key_values"),
            hidden_states=output.get("hidden_states"),
            attentions=output.get("attentions"),
        )

    def embed(self, input_ids: Int[Tensor, "batch tokens"]) -> Float[Tensor, "batch tokens dim"]:
        """Input embeddings, of the language model's own tokens and of the new ones."""
        if self.new_tokens is None:
            return self.host.embedding(input_ids)
        return self.new_tokens.embed(self.host.embedding, input_ids)

    # --- training ---------------------------------------------------------------------------

    def freeze_pretrained(self) -> None:
        """Freezes the vision encoder and the language model, as far as the configuration says."""
        if self.config.freeze_vision_encoder:
            freeze(self.vision_encoder)
        if self.config.freeze_language_model:
            freeze(self.language_model)

    def train(self, mode: bool = True) -> FlamingoForConditionalGeneration:
        """Training mode for the new parts; the frozen ones stay in evaluation mode."""
        super().train(mode)
        if self.config.freeze_vision_encoder:
            self.vision_encoder.eval()
        if self.config.freeze_language_model:
            self.language_model.eval()
            # Stock decoder layers only checkpoint activations while they are in training mode.
            if mode and self.is_activation_checkpointing:
                for layer in self.host.layers:
                    layer.training = True
        return self

    def _set_gradient_checkpointing(
        self, enable: bool = True, gradient_checkpointing_func: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        """Checkpoints gated and decoder layers; a second run is conditioned as the first was."""
        for conditioner in self.conditioners:
            conditioner.checkpoint = gradient_checkpointing_func if enable else None
        if enable and gradient_checkpointing_func is not None:
            silence_dropout(self.host.layers)
            kwargs["gradient_checkpointing_func"] = checkpoint_conditioned(
                gradient_checkpointing_func
            )
        super()._set_gradient_checkpointing(enable=enable, **kwargs)
        self.train(self.training)

    def _init_weights(self, module: nn.Module) -> None:
        """Starting values of the new parts; the pretrained parts bring their own."""
        if isinstance(module, PerceiverResampler):
            init.normal_(module.latents, std=module.latents.shape[-1] ** -0.5)
            for embeddings in (module.time_embeddings, module.position_embeddings):
                if embeddings is not None:
                    init.normal_(embeddings, std=embeddings.shape[-1] ** -0.5)
        elif isinstance(module, GatedXattn | GraftedSelfAttention):
            for name, alpha in module.named_parameters(recurse=False):
                if name.startswith("alpha_"):
                    init.zeros_(alpha)
        elif isinstance(module, NewTokens):
            for rows in (module.input_rows, module.output_rows):
                if rows is not None:
                    init.normal_(rows, std=0.02)

    # --- what transformers asks for ---------------------------------------------------------

    def get_input_embeddings(self) -> nn.Module:
        """The frozen table of the language model; the rows of new tokens are in `new_tokens`."""
        return self.host.embedding

    def get_output_embeddings(self) -> nn.Module:
        """The output head of the language model."""
        return self.host.head

    def get_decoder(self) -> nn.Module:
        """The language model without its head."""
        return self.language_model.get_decoder()

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> nn.Module:
        """Refuses: new tokens have rows of their own here.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            "A Flamingo's token table is frozen and is not resized. "
            "List further tokens in FlamingoConfig.new_token_ids; each gets a trained row."
        )
