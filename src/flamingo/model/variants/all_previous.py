"""A text token that sees all visuals up to its own, and not only the last one."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from flamingo.model.attention import CrossAttention


def all_previous(
    visual_index: Int[Tensor, "batch tokens"], num_visuals: int, num_latents: int
) -> Bool[Tensor, "batch 1 tokens positions"]:
    """The visual tokens of visuals 1 to φ, for each text token; all where φ is 0.

    A row of a softmax with nothing to read is not a number; such tokens read anything, and what
    they find is set to zero behind it.

    Paper: Table 10 of v2 ("all previous" against "only last").
    """
    number = torch.arange(num_visuals, device=visual_index.device).repeat_interleave(num_latents)
    index = visual_index[:, None, :, None]
    return (number < index) | (index == 0)


def read_all_previous(
    attention: CrossAttention,
    queries: Float[Tensor, "batch heads tokens head_dim"],
    keys: Float[Tensor, "batch heads positions head_dim"],
    values: Float[Tensor, "batch heads positions head_dim"],
    mask: Bool[Tensor, "batch 1 tokens positions"],
    sees_nothing: Bool[Tensor, "batch tokens 1"],
) -> Float[Tensor, "batch tokens dim"]:
    """What each token finds in all the visuals that it sees; zeros where it sees none."""
    found = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    joined = attention.to_output(found.transpose(1, 2).flatten(2))
    return joined.masked_fill(sees_nothing, 0.0)
