"""Where the model looks: attention over the positions of the last visual of a prompt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flamingo.inference.predictor import Predictor
from flamingo.model.config import FlamingoConfig
from flamingo.sequence import Interleaved


def has_attention_maps(config: FlamingoConfig) -> bool:
    """Whether a model's attention can be followed to positions: not in variants of its parts."""
    kinds = (config.xattn_kind, config.resampler_kind, config.sees)
    return kinds == ("gated_xattn_dense", "perceiver", "last")


@torch.no_grad()
def attention_over_query(
    predictor: Predictor, prompt: Interleaved
) -> Float[Tensor, "frames positions"]:
    """How much the first token of the answer looks at each position of the prompt's last visual.

    The weights of all gated layers and heads say which visual tokens are read; the last layer of
    the resampler says which positions those were made from. Their product sums to 1.

    Args:
        predictor: the model with its processor.
        prompt: a document that is open for its answer and has at least one visual.
    """
    model, query = predictor.model, prompt.visuals[-1]
    inputs = predictor.encode([prompt]).model_inputs()
    with ExitStack() as stack:
        blocks = [stack.enter_context(_inputs_of(b)) for b in model.gated_xattn_dense]
        model(**inputs, logits_to_keep=1)
    pairs = zip(model.gated_xattn_dense, blocks, strict=True)
    read = torch.stack([_latent_weights(block, calls[0]) for block, calls in pairs]).mean(0)
    pixels = predictor.processor.image_processor.transform(query).to(model.device)
    with _inputs_of(model.resampler.layers[-1]) as seen:
        model.encode_visuals(pixels[None, None])
    positions = _position_weights(model.resampler.layers[-1], *seen[0])
    return (read @ positions).unflatten(0, (query.num_frames, -1)).cpu()


def _latent_weights(block: Any, inputs: tuple[Any, ...]) -> Float[Tensor, " latents"]:
    """What the last token reads of its visual in one gated layer, averaged over heads."""
    text, _, _, visibility, visual_tokens = inputs
    keys, _ = block.keys_values(visual_tokens)
    last = type(visibility).of(visibility.visual_index[:, -1:], 1, visibility.num_latents)
    normed = block.text_norm(text[:, -1:].to(block.text_norm.weight.dtype))
    attention = block.attention
    return attention.weights(attention.queries(normed), last.select(keys))[0, :, 0].mean(0).float()


def _position_weights(
    layer: Any, latents: Tensor, features: Tensor
) -> Float[Tensor, "latents positions"]:
    """What each latent reads of the features, the part that it reads of latents left out."""
    queries = layer.latents_norm(latents)
    source = torch.cat([layer.features_norm(features), queries], dim=1)
    attention = layer.attention
    keys, _ = attention.keys_values(source)
    weights = attention.weights(attention.queries(queries), keys)[0].mean(0).float()
    seen = weights[:, : features.shape[1]]
    return seen / seen.sum(-1, keepdim=True)


@contextmanager
def _inputs_of(module: nn.Module) -> Iterator[list[tuple[Any, ...]]]:
    """Collects what `module` is called with."""
    calls: list[tuple[Any, ...]] = []
    handle = module.register_forward_pre_hook(lambda _, args: calls.append(args))
    try:
        yield calls
    finally:
        handle.remove()
