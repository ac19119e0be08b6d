"""MosaicGPT, the language model of MPT-1B, as an ordinary transformers model.

MosaicML released it as code beside the weights, which does not run with transformers 5; and the Mpt
of transformers itself, of the MPT-7B that came later, does not normalize queries and keys.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import DynamicCache, GenerationMixin, PreTrainedModel
from transformers.cache_utils import Cache
from transformers.masking_utils import create_causal_mask
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.utils import can_return_tuple
from transformers.utils.output_capturing import capture_outputs

from flamingo.foundation.errors import SequenceError
from flamingo.model.language_models.alibi import alibi_slopes, with_alibi
from flamingo.model.language_models.mosaic_gpt_block import (
    EPS,
    MosaicGPTAttention,
    MosaicGPTBlock,
)
from flamingo.model.language_models.mosaic_gpt_config import MosaicGPTConfig


class MosaicGPTPreTrainedModel(PreTrainedModel):
    """What transformers must know of a MosaicGPT."""

    config_class = MosaicGPTConfig
    base_model_prefix = "transformer"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_attention_backend = True
    _no_split_modules = ["MosaicGPTBlock"]  # noqa: RUF012
    _skip_keys_device_placement = ["past_key_values"]  # noqa: RUF012
    _can_record_outputs = {  # noqa: RUF012
        "hidden_states": MosaicGPTBlock,
        "attentions": MosaicGPTAttention,
    }


class MosaicGPTModel(MosaicGPTPreTrainedModel):
    """A MosaicGPT without its head."""

    def __init__(self, config: MosaicGPTConfig) -> None:
        super().__init__(config)
        self.wte: nn.Module = nn.Embedding(config.vocab_size, config.d_model)
        self.emb_drop = nn.Dropout(config.emb_pdrop)
        self.blocks = nn.ModuleList(MosaicGPTBlock(config, i) for i in range(config.n_layers))
        self.ln_f = nn.LayerNorm(config.d_model, eps=EPS, bias=False)
        self.gradient_checkpointing = False
        self.post_init()

    @capture_outputs  # type: ignore[untyped-decorator]
    def forward(
        self,
        input_ids: Int[Tensor, "batch tokens"] | None = None,
        attention_mask: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Float[Tensor, "batch tokens dim"] | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPast:
        """The hidden states behind the last layer, normalized."""
        if (input_ids is None) == (inputs_embeds is None):
            given = "both are given" if input_ids is not None else "both are missing"
            raise SequenceError(f"Give either input_ids or inputs_embeds; {given}.")
        if inputs_embeds is None:
            inputs_embeds = self.wte(input_ids)
        if use_cache is None:
            use_cache = self.config.use_cache and not (
                self.training and self.gradient_checkpointing
            )
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        mask = self._biased_mask(inputs_embeds, attention_mask, past_key_values)
        hidden_states = self.emb_drop(inputs_embeds)
        for block in self.blocks:
            hidden_states = block(
                hidden_states, attention_mask=mask, past_key_values=past_key_values
            )
        return BaseModelOutputWithPast(
            last_hidden_state=self.ln_f(hidden_states), past_key_values=past_key_values
        )

    def _biased_mask(
        self,
        inputs_embeds: Float[Tensor, "batch tokens dim"],
        attention_mask: Tensor | None,
        cache: Cache | None,
    ) -> Float[Tensor, "masks heads tokens keys"]:
        """Causality, padding and ALiBi in one, for all layers."""
        mask = create_causal_mask(
            config=self.config,
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            past_key_values=cache,
            allow_is_causal_skip=False,
        )
        num_read = mask.shape[-1] - mask.shape[-2] if cache is None else cache.get_seq_length()
        device = inputs_embeds.device
        dtype = inputs_embeds.dtype
        if torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type):
            dtype = torch.get_autocast_dtype(device.type)
        slopes = alibi_slopes(self.config.n_heads, self.config.alibi_bias_max, device)
        return with_alibi(mask, slopes, num_read, dtype)

    def get_input_embeddings(self) -> nn.Module:
        """The table of tokens."""
        return self.wte

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Takes another table of tokens."""
        self.wte = value


class MosaicGPTForCausalLM(MosaicGPTPreTrainedModel, GenerationMixin):
    """A MosaicGPT that predicts the next token, under the parameter names of the released files.

    Its head is its embedding. Positions are distances between tokens: padding on either side
    changes nothing, and sequences may be longer than `max_seq_len`.
    """

    _tied_weights_keys = {"lm_head.weight": "transformer.wte.weight"}  # noqa: RUF012

    def __init__(self, config: MosaicGPTConfig) -> None:
        super().__init__(config)
        self.transformer = MosaicGPTModel(config)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.post_init()

    @can_return_tuple  # type: ignore[untyped-decorator]
    def forward(
        self,
        input_ids: Int[Tensor, "batch tokens"] | None = None,
        attention_mask: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Float[Tensor, "batch tokens dim"] | None = None,
        labels: Int[Tensor, "batch tokens"] | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Logits of the next token at every position, and the loss where labels are given.

        Args:
            input_ids: token ids.
            attention_mask: 1 for real tokens, 0 for padding on either side; or masks as
                `generate` prepares them for a static cache.
            past_key_values: keys and values of what was read before.
            inputs_embeds: instead of `input_ids`.
            labels: token ids to predict, not shifted; -100 is left out of the loss.
            use_cache: whether to return keys and values for the next pass; true by default.
            logits_to_keep: how many last positions need logits, 0 for all; or their numbers.
            **kwargs: `output_hidden_states` and `output_attentions`; others go to the loss.

        Raises:
            SequenceError: not exactly one of `input_ids` and `inputs_embeds` is given.
        """
        read = self.transformer(
            input_ids=input_ids,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            **kwargs,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(read.last_hidden_state[:, kept])
        if self.config.logit_factor != 1:
            logits = logits * self.config.logit_factor
        loss = None
        if labels is not None:
            loss = self.loss_function(
                logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs
            )
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=read.past_key_values,
            hidden_states=read.hidden_states,
            attentions=read.attentions,
        )

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> Any:
        """Loads a model as transformers does; whatever its files say, `generate` keeps the keys."""
        loaded = super().from_pretrained(*args, **kwargs)
        model = loaded[0] if isinstance(loaded, tuple) else loaded
        model.generation_config.use_cache = True
        return loaded
