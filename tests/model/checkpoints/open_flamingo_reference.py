"""OpenFlamingo in plain torch: what its released weights compute, written to compare with.

Functional over the tensors of a checkpoint, under their published names. Nothing is kept from one
token to the next: each new token reads the whole prompt anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    AutoModelForCausalLM,
    CLIPVisionModel,
    GenerationMixin,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.modeling_outputs import CausalLMOutput

Weights = Mapping[str, Tensor]
Before = Callable[[int, Tensor], Tensor]
"""What is done to the text that enters decoder layer i."""

HEADS, HEAD_DIM = 8, 64


@dataclass(frozen=True)
class Family:
    """Where a language model keeps its layers and token tables, as checkpoints name them.

    Attributes:
        layers: the list of decoder layers.
        table: the input embedding.
        head: the output table, where a checkpoint may bring one; `None` where it brings none.
    """

    layers: str
    table: str
    head: str | None = None


FAMILIES = {
    "mosaic_gpt": Family("transformer.blocks", "transformer.wte"),
    "mpt": Family("transformer.blocks", "transformer.wte", "lm_head"),
    "gpt_neox": Family("gpt_neox.layers", "gpt_neox.embed_in", "embed_out"),
    "llama": Family("model.layers", "model.embed_tokens", "lm_head"),
    "opt": Family("model.decoder.layers", "model.decoder.embed_tokens"),
}


class OpenFlamingo:
    """Logits and tokens of an OpenFlamingo.

    Args:
        weights: the checkpoint's tensors under their published names.
        family: one of `FAMILIES`.
        language_model: folder of the language model.
        vision_encoder: folder of the CLIP model.
        every: a gated block stands before layer i where (i + 1) % every is 0.
        image_token_id: id of `<image>`.
    """

    def __init__(
        self,
        weights: Weights,
        family: str,
        language_model: Path,
        vision_encoder: Path,
        *,
        every: int,
        image_token_id: int,
    ) -> None:
        self.weights = dict(weights)
        self.layers = f"lang_encoder.{FAMILIES[family].layers}"
        self.every, self.image_token_id = every, image_token_id
        self.tower = CLIPVisionModel.from_pretrained(vision_encoder).eval()
        new = {name.removeprefix("lang_encoder."): value for name, value in weights.items()}
        load = _load_mosaic_gpt if family == "mosaic_gpt" else _load_stock
        self.language_model = load(language_model, FAMILIES[family], new)

    @torch.no_grad()
    def logits(
        self, input_ids: Tensor, attention_mask: Tensor, vision_x: Tensor | None = None
    ) -> Tensor:
        """Logits of each position; without images, cross-attention has nothing to say.

        Args:
            input_ids: [batch, tokens].
            attention_mask: 0 for padding.
            vision_x: [batch, images, frames=1, 3, height, width].
        """
        media = None if vision_x is None else self.see(vision_x)
        times = (input_ids == self.image_token_id).cumsum(1)

        def before(layer: int, text: Tensor) -> Tensor:
            if (layer + 1) % self.every:
                return text
            block = part(self.weights, f"{self.layers}.{layer}.gated_cross_attn_layer.")
            return gated_block(block, text, media, times)

        return self.language_model(input_ids, attention_mask, before)

    def see(self, vision_x: Tensor) -> Tensor:
        """Visual tokens of each image, [batch, images, latents, width]."""
        batch, images, frames = vision_x.shape[:3]
        assert frames == 1
        tokens = self.tower(vision_x.flatten(0, 2)).last_hidden_state[:, 1:]
        return resample(part(self.weights, "perceiver."), tokens).unflatten(0, (batch, images))

    def generate(self, **inputs: Any) -> Tensor:
        """The prompts with their continuations, by transformers' own loop and without a cache."""
        return _Recomputing(self).generate(**inputs, use_cache=False)


def part(weights: Weights, prefix: str) -> dict[str, Tensor]:
    """The tensors under `prefix`, named from there on."""
    found = {
        name.removeprefix(prefix): value
        for name, value in weights.items()
        if name.startswith(prefix)
    }
    assert found, prefix
    return found


def resample(weights: Weights, media: Tensor) -> Tensor:
    """The Perceiver Resampler: [images, patches, width] to [images, latents, width]."""
    latents = weights["latents"].expand(len(media), -1, -1)
    for number in range(len({name.split(".")[1] for name in weights if "layers." in name})):
        look = part(weights, f"layers.{number}.0.")
        seen = _layer_norm(media, look, "norm_media")
        asking = _layer_norm(latents, look, "norm_latents")
        queries = _heads(asking @ look["to_q.weight"].T)
        both = torch.cat([seen, asking], dim=1) @ look["to_kv.weight"].T
        keys, values = map(_heads, both.chunk(2, dim=-1))
        scores = (queries * HEAD_DIM**-0.5) @ keys.transpose(-1, -2)
        found = (scores.softmax(-1) @ values).transpose(1, 2).flatten(2)
        latents = latents + found @ look["to_out.weight"].T
        latents = latents + _feed_forward(part(weights, f"layers.{number}.1."), latents)
    return _layer_norm(latents, weights, "norm")


def gated_block(weights: Weights, text: Tensor, media: Tensor | None, times: Tensor) -> Tensor:
    """Gated cross-attention, then the gated feed-forward, which runs for every token.

    Args:
        weights: of one block.
        text: [batch, tokens, dim].
        media: [batch, images, latents, width].
        times: per token how many images were shown up to it, itself included.
    """
    if media is not None:
        seen = masked_cross_attention(part(weights, "attn."), text, media, times)
        text = text + weights["attn_gate"].tanh() * seen
    return text + weights["ff_gate"].tanh() * _feed_forward(part(weights, "ff."), text)


def masked_cross_attention(weights: Weights, text: Tensor, media: Tensor, times: Tensor) -> Tensor:
    """Attention of each token to the latents of the last image before it, or zero."""
    queries = _heads(_layer_norm(text, weights, "norm") @ weights["to_q.weight"].T)
    keys, values = map(_heads, (media.flatten(1, 2) @ weights["to_kv.weight"].T).chunk(2, dim=-1))
    scores = (queries * HEAD_DIM**-0.5) @ keys.transpose(-1, -2)
    images, latents = media.shape[1:3]
    number = torch.arange(1, images + 1).repeat_interleave(latents)
    allowed = (times[:, :, None] == number)[:, None]
    scores = scores.masked_fill(~allowed, -torch.finfo(scores.dtype).max)
    attention = (scores - scores.amax(-1, keepdim=True)).softmax(-1)
    attention = attention.masked_fill((times == 0)[:, None, :, None], 0.0)
    return (attention @ values).transpose(1, 2).flatten(2) @ weights["to_out.weight"].T


def mosaic_gpt(
    weights: Weights, input_ids: Tensor, attention_mask: Tensor, before: Before, *, heads: int
) -> Tensor:
    """Logits of a MosaicGPT; norms on queries and keys are applied where the weights have them."""
    table = weights["transformer.wte.weight"]
    text = table[input_ids]
    length, head_dim = input_ids.shape[1], text.shape[-1] // heads
    slopes = 2.0 ** (-8.0 * torch.arange(1, heads + 1) / heads)
    bias = slopes[:, None, None] * torch.arange(1 - length, 1)
    is_seen = torch.ones(length, length).tril().bool() & attention_mask.bool()[:, None, None, :]
    for number in range(len({n.split(".")[2] for n in weights if ".blocks." in n})):
        text = before(number, text)
        block = part(weights, f"transformer.blocks.{number}.")
        mixed = _layer_norm(text, block, "ln_1") @ block["attn.Wqkv.weight"].T
        queries, keys, values = mixed.chunk(3, dim=-1)
        if "attn.q_ln.weight" in block:
            queries = _layer_norm(queries, block, "attn.q_ln")
            keys = _layer_norm(keys, block, "attn.k_ln")
        queries, keys, values = (_heads(x, heads) for x in (queries, keys, values))
        scores = queries @ keys.transpose(-1, -2) / head_dim**0.5 + bias
        scores = scores.masked_fill(~is_seen, torch.finfo(scores.dtype).min)
        found = (scores.softmax(-1) @ values).transpose(1, 2).flatten(2)
        text = text + found @ block["attn.out_proj.weight"].T
        hidden = F.gelu(_layer_norm(text, block, "ln_2") @ block["mlp.mlp_up.weight"].T)
        text = text + hidden @ block["mlp.mlp_down.weight"].T
    return _layer_norm(text, weights, "transformer.ln_f") @ table.T


def _layer_norm(x: Tensor, weights: Weights, name: str) -> Tensor:
    prefix = f"{name}." if name else ""
    return F.layer_norm(
        x, x.shape[-1:], weights[f"{prefix}weight"], weights.get(f"{prefix}bias"), eps=1e-5
    )


def _feed_forward(weights: Weights, x: Tensor) -> Tensor:
    hidden = F.gelu(_layer_norm(x, weights, "0") @ weights["1.weight"].T)
    return hidden @ weights["3.weight"].T


def _heads(x: Tensor, heads: int = HEADS) -> Tensor:
    """[batch, tokens, heads * head_dim] to [batch, heads, tokens, head_dim]."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _load_mosaic_gpt(folder: Path, family: Family, new: Weights) -> Callable[..., Tensor]:
    table = f"{family.table}.weight"
    weights = {**load_file(folder / "model.safetensors"), table: new[table]}
    heads = PreTrainedConfig.get_config_dict(folder)[0]["n_heads"]
    return lambda ids, mask, before: mosaic_gpt(weights, ids, mask, before, heads=heads)


def _load_stock(folder: Path, family: Family, new: Weights) -> Callable[..., Tensor]:
    """A model of transformers, cut to the checkpoint's vocabulary, with wrapped layers."""
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    table = new[f"{family.table}.weight"]
    model.resize_token_embeddings(len(table))
    with torch.no_grad():
        model.get_input_embeddings().weight.copy_(table)
        if f"{family.head}.weight" in new:
            model.get_output_embeddings().weight.copy_(new[f"{family.head}.weight"])
    return _Stock(model, family.layers)


class _Stock:
    """A stock language model that lets something be done before each of its layers."""

    before: Before

    def __init__(self, model: PreTrainedModel, layers: str) -> None:
        self.model: Any = model
        inner: Any = model.get_submodule(layers)
        for number, layer in enumerate(inner):
            inner[number] = _Wrapped(layer, number, self)

    def __call__(self, input_ids: Tensor, attention_mask: Tensor, before: Before) -> Tensor:
        self.before = before
        return self.model(
            input_ids=input_ids, attention_mask=attention_mask, use_cache=False
        ).logits


class _Wrapped(nn.Module):
    def __init__(self, layer: nn.Module, number: int, owner: _Stock) -> None:
        super().__init__()
        self.layer, self.number, self.owner = layer, number, owner

    def forward(self, text: Tensor, *args: Any, **kwargs: Any) -> Any:
        return self.layer(self.owner.before(self.number, text), *args, **kwargs)


class _Recomputing(PreTrainedModel, GenerationMixin):
    """What transformers' generation loop asks of a model, without any cache."""

    config_class = PreTrainedConfig

    def __init__(self, reference: OpenFlamingo) -> None:
        super().__init__(PreTrainedConfig())
        self.reference = reference
        self.device_of = nn.Parameter(torch.zeros(1))

    def forward(self, *, return_dict: bool = True, **inputs: Any) -> CausalLMOutput:
        return CausalLMOutput(logits=self.reference.logits(**inputs))

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        vision_x: Tensor | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        # Where nothing is padded, the loop lets the mask go.
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        return {"input_ids": input_ids, "attention_mask": mask, "vision_x": vision_x}
