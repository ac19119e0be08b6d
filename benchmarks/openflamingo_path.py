"""OpenFlamingo's algorithm, on the weights of one of our models: the plain path to compare with.

OpenFlamingo itself cannot be installed beside current libraries. This computes what it computes in
the way it does: attention over all latents of all visuals with a mask that each layer builds anew,
keys and values of all visuals anew in every layer at every step, visuals encoded once per beam,
logits of every position of the prompt. One thing is to its advantage: the language model keeps its
keys and values, which OpenFlamingo leaves off for two of its three sizes.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import GenerationMixin, PreTrainedModel
from transformers.cache_utils import Cache
from transformers.modeling_outputs import CausalLMOutputWithPast

from flamingo.model.config import FlamingoConfig
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.gated_xattn_dense import GatedXattnDense, through_gate
from flamingo.model.language_model import position_ids as positions_of


class OpenFlamingoPath(PreTrainedModel, GenerationMixin):
    """Reads and generates what `flamingo` does, without any of its shortcuts.

    Visuals are laid down with `see` and stay until the next ones, for prompts in which each visual
    has its tag. Nothing is copied: both models work on the same weights, one at a time.

    Args:
        flamingo: a Flamingo with gated layers before every `xattn_every`-th layer, in which tokens
            see the last visual.
    """

    config_class = FlamingoConfig
    main_input_name = "input_ids"
    _supports_sdpa = True

    def __init__(self, flamingo: FlamingoForConditionalGeneration) -> None:
        super().__init__(flamingo.config)
        self.flamingo = flamingo
        self.generation_config = copy.deepcopy(flamingo.generation_config)
        self._visual_tokens: Tensor | None = None
        self._num_shown: Tensor | None = None
        self._shown: Tensor | None = None
        layers = flamingo.host.layers[:: flamingo.config.xattn_every]
        blocks: Any = flamingo.gated_xattn_dense
        for layer, block in zip(layers, blocks, strict=True):
            layer.register_forward_pre_hook(_Look(self, block), with_kwargs=True)

    def see(
        self, pixel_values: Tensor, frame_mask: Tensor | None = None, *, num_beams: int = 1
    ) -> None:
        """Encodes the visuals of each row, as often as the row has beams."""
        pixels = pixel_values.repeat_interleave(num_beams, dim=0)
        mask = None if frame_mask is None else frame_mask.repeat_interleave(num_beams, dim=0)
        with torch.no_grad():
            self._visual_tokens = self.flamingo.encode_visuals(pixels, mask)

    def forward(
        self,
        input_ids: Int[Tensor, "batch tokens"],
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Logits of the next token at every position."""
        is_shown = (input_ids == self.config.image_token_id).long()
        if past_key_values is None or past_key_values.get_seq_length() == 0:
            shown = is_shown.cumsum(1)
        else:
            assert self._num_shown is not None
            shown = self._num_shown[:, None] + is_shown.cumsum(1)
        self._num_shown = shown[:, -1]
        if position_ids is None and attention_mask is not None:
            position_ids = positions_of(attention_mask)[:, -input_ids.shape[1] :]
        flamingo, self._shown = self.flamingo, shown
        try:
            output = flamingo.get_decoder()(
                inputs_embeds=flamingo.embed(input_ids),
                attention_mask=attention_mask,
                position_ids=position_ids,
                past_key_values=past_key_values,
                use_cache=use_cache,
            )
        finally:
            self._shown = None
        logits = flamingo.host.head(output.last_hidden_state)
        if flamingo.new_tokens is not None:
            logits = flamingo.new_tokens.extend(logits, output.last_hidden_state)
        return CausalLMOutputWithPast(logits=logits, past_key_values=output.past_key_values)

    def generate(  # type: ignore[override]
        self,
        *,
        pixel_values: Tensor,
        frame_mask: Tensor | None = None,
        visual_index: Tensor | None = None,
        num_beams: int = 1,
        **kwargs: Any,
    ) -> Any:
        """Continues prompts, from the same inputs as ours; φ is found anew from the tags."""
        self.see(pixel_values, frame_mask, num_beams=num_beams)
        return super().generate(num_beams=num_beams, **kwargs)


class _Look:
    """Runs a gated layer on what enters a decoder layer, while its own model reads."""

    def __init__(self, path: OpenFlamingoPath, block: GatedXattnDense) -> None:
        self.path, self.block = path, block

    def __call__(
        self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        shown, visual_tokens = self.path._shown, self.path._visual_tokens
        if shown is None:
            return None
        assert visual_tokens is not None
        hidden = args[0] if args else kwargs["hidden_states"]
        hidden = hidden + look_densely(self.block, hidden, visual_tokens, shown)
        hidden = hidden + through_gate(self.block.alpha_dense, self.block.feed_forward(hidden))
        return (
            ((hidden, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": hidden})
        )


def look_densely(
    block: GatedXattnDense,
    text: Float[Tensor, "batch tokens dim"],
    visual_tokens: Float[Tensor, "batch visuals latents visual_dim"],
    shown: Int[Tensor, "batch tokens"],
) -> Float[Tensor, "batch tokens dim"]:
    """What cross-attention adds to the text: all scores are computed, then most are masked.

    Args:
        block: a gated layer.
        text: what enters it.
        visual_tokens: of all visuals.
        shown: how many visuals were shown up to each token, itself included.
    """
    attention = block.attention
    queries = attention.queries(block.text_norm(text))
    keys, values = block.keys_values(visual_tokens)
    num_visuals, num_latents = visual_tokens.shape[1:3]
    number = torch.arange(1, num_visuals + 1, device=text.device).repeat_interleave(num_latents)
    mask = shown[:, None, :, None] == number
    scores = queries @ keys.transpose(-1, -2) * attention.head_dim**-0.5
    scores = scores.masked_fill(~mask, -torch.finfo(scores.dtype).max)
    weights = scores.softmax(-1).masked_fill((shown == 0)[:, None, :, None], 0.0)
    found = attention.to_output((weights @ values).transpose(1, 2).flatten(2))
    return through_gate(block.alpha_xattn, found)
