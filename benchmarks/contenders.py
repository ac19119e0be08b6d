"""Two models of one size, and one batch for both: a Flamingo of ours and transformers' Idefics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    CLIPVisionConfig,
    IdeficsConfig,
    IdeficsForVisionText2Text,
    LlamaConfig,
    LlamaForCausalLM,
)

from flamingo.model.build import build_flamingo
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.vision_encoder import build_vision_encoder
from flamingo.training.preparation import set_train_mode


@dataclass(frozen=True)
class Sizes:
    """Of a model and of its batch.

    The gated layers of the two have the same number of weights where `feed_forward` is 8/3 of
    `dim`: ours has two matrices of 4·dim², Idefics three of feed_forward·dim. The defaults have
    the proportions of Flamingo-3B: a gated layer before every layer, and about as large a part of
    all operations in the vision encoder and in the resampler.
    """

    dim: int = 384
    feed_forward: int = 1_024
    num_layers: int = 6
    num_heads: int = 6
    every: int = 1
    vocabulary: int = 8_000
    vision_dim: int = 256
    vision_layers: int = 4
    vision_heads: int = 4
    image_size: int = 224
    patch_size: int = 14
    resampler_layers: int = 2
    resampler_heads: int = 4
    num_latents: int = 64
    tokens: int = 256


SIZES = {
    "small": Sizes(),
    "tiny": Sizes(
        dim=48, feed_forward=128, num_layers=4, num_heads=2, vocabulary=100, vision_dim=32,
        vision_layers=1, vision_heads=2, image_size=28, resampler_layers=1, resampler_heads=2,
        num_latents=8, tokens=40,
    ),
}  # fmt: skip

BATCHES = {"full": (5, 5, 5, 5), "pages": (5, 2, 1, 1)}
"""Images of each row. "full" has as many as there can be; "pages" is more like what windows of 256
tokens on web pages hold: the paper's pages have 4.3 images on the average, and are longer.
"""


@dataclass(frozen=True)
class Contender:
    """A model in training mode, and its logits of the batch."""

    model: nn.Module
    token_ids: Tensor
    logits: Callable[[], Tensor]


def our_model(sizes: Sizes, **special_ids: Any) -> FlamingoForConditionalGeneration:
    """Our Flamingo, as the configuration of Idefics would have it: CLS kept, no last norm.

    Args:
        sizes: of the model.
        **special_ids: `eos_token_id` and `pad_token_id`, where it is to generate.
    """
    encoder = build_vision_encoder(
        CLIPVisionConfig(
            hidden_size=sizes.vision_dim,
            intermediate_size=4 * sizes.vision_dim,
            num_hidden_layers=sizes.vision_layers,
            num_attention_heads=sizes.vision_heads,
            image_size=sizes.image_size,
            patch_size=sizes.patch_size,
            hidden_act="gelu",
        ),
        keep_cls=True,
        use_post_norm=False,
    )
    return build_flamingo(
        LlamaForCausalLM(LlamaConfig(**_language_model(sizes), tie_word_embeddings=False)),
        encoder,
        image_token_id=sizes.vocabulary,
        eoc_token_id=sizes.vocabulary + 1,
        resampler_layers=sizes.resampler_layers,
        resampler_heads=sizes.resampler_heads,
        resampler_head_dim=sizes.vision_dim // sizes.resampler_heads,
        num_latents=sizes.num_latents,
        # Idefics has no embedding of time and lets its gated layers read the vision width.
        num_time_embeddings=0,
        widen_visual_tokens=False,
        xattn_every=sizes.every,
        **special_ids,
    )


def idefics_model(sizes: Sizes) -> IdeficsForVisionText2Text:
    """Idefics with everything pretrained frozen, and without its norms of queries and keys."""
    config = IdeficsConfig(
        **_language_model(sizes),
        additional_vocab_size=2,
        cross_layer_interval=sizes.every,
        freeze_text_layers=True,
        freeze_vision_layers=True,
        freeze_lm_head=True,
        use_resampler=True,
        qk_layer_norms=False,
        vision_config={
            "embed_dim": sizes.vision_dim,
            "intermediate_size": 4 * sizes.vision_dim,
            "num_hidden_layers": sizes.vision_layers,
            "num_attention_heads": sizes.vision_heads,
            "image_size": sizes.image_size,
            "patch_size": sizes.patch_size,
        },
        perceiver_config={
            "use_resampler": True,
            "resampler_n_latents": sizes.num_latents,
            "resampler_depth": sizes.resampler_layers,
            "resampler_n_heads": sizes.resampler_heads,
            "resampler_head_dim": sizes.vision_dim // sizes.resampler_heads,
        },
    )
    return IdeficsForVisionText2Text(config)


def ours(sizes: Sizes, visuals: Sequence[int]) -> Contender:
    """Our Flamingo, its new parts in training mode."""
    model = our_model(sizes)
    set_train_mode(model)
    batch = _batch(sizes, visuals)
    inputs: dict[str, Any] = {
        "input_ids": batch.token_ids,
        "attention_mask": torch.ones_like(batch.token_ids),
        "visual_index": batch.visual_index,
        "pixel_values": batch.pixels[:, :, None],
        "frame_mask": batch.is_there[:, :, None],
    }
    return Contender(model, batch.token_ids, lambda: model(**inputs, use_cache=False).logits)


def idefics(sizes: Sizes, visuals: Sequence[int]) -> Contender:
    """Idefics in training mode."""
    model = idefics_model(sizes).train()
    batch = _batch(sizes, visuals)
    inputs: dict[str, Any] = {
        "input_ids": batch.token_ids,
        "attention_mask": torch.ones_like(batch.token_ids),
        "pixel_values": batch.pixels,
        "image_attention_mask": one_hot_visuals(batch.visual_index, max(visuals)),
    }
    return Contender(model, batch.token_ids, lambda: model(**inputs, use_cache=False).logits)


def one_hot_visuals(visual_index: Tensor, num_visuals: int) -> Tensor:
    """φ as Idefics wants it: per token a row of `num_visuals` marks, one for what it sees."""
    return torch.nn.functional.one_hot(visual_index, num_visuals + 1)[:, :, 1:]


CONTENDERS: dict[str, Callable[[Sizes, Sequence[int]], Contender]] = {
    "ours": ours,
    "idefics": idefics,
}


def _language_model(sizes: Sizes) -> dict[str, Any]:
    return {
        "vocab_size": sizes.vocabulary,
        "hidden_size": sizes.dim,
        "intermediate_size": sizes.feed_forward,
        "num_hidden_layers": sizes.num_layers,
        "num_attention_heads": sizes.num_heads,
    }


@dataclass(frozen=True)
class _Batch:
    token_ids: Tensor
    visual_index: Tensor
    pixels: Tensor
    is_there: Tensor


def _batch(sizes: Sizes, visuals: Sequence[int]) -> _Batch:
    """Rows that begin with an image and have their others at equal distances, all padded alike."""
    generator = torch.Generator().manual_seed(0)
    num_visuals = torch.tensor(visuals)[:, None]
    shape = (len(visuals), sizes.tokens)
    ids = torch.randint(3, sizes.vocabulary, shape, generator=generator)
    index = torch.arange(sizes.tokens) * num_visuals // sizes.tokens + 1
    is_tag = torch.diff(index, dim=1, prepend=torch.zeros_like(num_visuals)) > 0
    is_there = torch.arange(max(visuals)) < num_visuals
    side = sizes.image_size
    pixels = torch.randn(*is_there.shape, 3, side, side, generator=generator)
    return _Batch(
        ids.masked_fill(is_tag, sizes.vocabulary),
        index,
        pixels * is_there[:, :, None, None, None],
        is_there,
    )
