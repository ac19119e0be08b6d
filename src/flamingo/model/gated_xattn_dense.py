"""GATED XATTN-DENSE: the new layers through which a frozen language model sees."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flamingo.model.attention import CrossAttention
from flamingo.model.feed_forward import FeedForward
from flamingo.model.norms import EPS, norm
from flamingo.model.variants.all_previous import read_all_previous
from flamingo.model.visibility import Visibility


class GatedXattn(nn.Module):
    """What the visuals say to the text, through a gate that starts closed.

    A token that comes before any visual gets nothing.

    Args:
        dim: width of the language model.
        visual_dim: width of the visual tokens.
        num_heads: attention heads.
        head_dim: width of one head.
        is_gated: without a gate, what is seen is added as it is.
        gate_shape: see `closed_gate`.
        norm_kind: of the text, see `norms.NORMS`.
        norm_eps: what these norms, and those of queries and keys, add to the variance.
        has_visual_norm: whether the visual tokens are normalized once more.
        qk_norm: of queries and keys, see `CrossAttention`.

    Paper: Sec. 2.2, App. A.1.2; Table 3 for the variant without a gate.
    """

    def __init__(
        self,
        *,
        dim: int,
        visual_dim: int,
        num_heads: int,
        head_dim: int,
        is_gated: bool = True,
        gate_shape: str = "scalar",
        norm_kind: str = "layer",
        norm_eps: float = EPS,
        has_visual_norm: bool = True,
        qk_norm: str | None = None,
    ) -> None:
        super().__init__()
        self.text_norm = norm(norm_kind, dim, norm_eps)
        self.visual_norm = norm("layer", visual_dim) if has_visual_norm else nn.Identity()
        self.attention = CrossAttention(
            query_dim=dim, source_dim=visual_dim, num_heads=num_heads, head_dim=head_dim,
            qk_norm=qk_norm, norm_eps=norm_eps,
        )  # fmt: skip
        self.alpha_xattn = closed_gate(is_gated, gate_shape, dim)

    def keys_values(
        self, visual_tokens: Float[Tensor, "batch visuals latents visual_dim"]
    ) -> tuple[
        Float[Tensor, "batch heads positions head_dim"],
        Float[Tensor, "batch heads positions head_dim"],
    ]:
        """What the visuals offer to this layer: computed once per visual, kept while decoding."""
        tokens = visual_tokens.flatten(1, 2).to(self.attention.to_keys.weight.dtype)
        return self.attention.keys_values(self.visual_norm(tokens))

    def seen(
        self,
        text: Float[Tensor, "batch tokens dim"],
        keys: Float[Tensor, "stored heads positions head_dim"] | None,
        values: Float[Tensor, "stored heads positions head_dim"] | None,
        visibility: Visibility | None,
        visual_tokens: Float[Tensor, "batch visuals latents visual_dim"] | None,
    ) -> Float[Tensor, "batch tokens dim"] | None:
        """What is to be added to the text; `None` where there is nothing to see."""
        if visibility is None or (keys is None and visual_tokens is None):
            return None
        dtype = self.attention.to_queries.weight.dtype
        seen = self._look(text.to(dtype), keys, values, visibility, visual_tokens)
        return through_gate(self.alpha_xattn, seen).to(text.dtype)

    def _look(
        self,
        text: Float[Tensor, "batch tokens dim"],
        keys: Float[Tensor, "stored heads positions head_dim"] | None,
        values: Float[Tensor, "stored heads positions head_dim"] | None,
        visibility: Visibility,
        visual_tokens: Float[Tensor, "batch visuals latents visual_dim"] | None,
    ) -> Float[Tensor, "batch tokens dim"]:
        """What each token finds in what it sees; zeros where it sees nothing."""
        attention, segments = self.attention, visibility.segments
        queries = attention.queries(self.text_norm(text))
        if visual_tokens is not None and segments is not None:
            # Only of what is seen: neither of padding nor of visuals behind the last word.
            seen = visual_tokens.flatten(0, 1)[segments.seen]
            keys, values = (each[segments.visuals] for each in self.keys_values(seen[:, None]))
        else:
            if visual_tokens is not None:
                keys, values = self.keys_values(visual_tokens)
            assert keys is not None
            assert values is not None
            keys, values = visibility.select(keys), visibility.select(values)
        if visibility.mask is not None:
            return read_all_previous(
                attention, queries, keys, values, visibility.mask, visibility.sees_nothing
            )
        if segments is None:
            return attention.read(queries, keys, values).masked_fill(visibility.sees_nothing, 0.0)
        found = attention.attend(segments.gather(queries), keys, values)
        return attention.to_output(segments.scatter(found, *text.shape[:2]))


class GatedXattnDense(GatedXattn):
    """Adds what the visuals say to the text, through two gates that start closed.

    At initialization both gates are zero, so the layer returns its input unchanged and the
    language model behaves exactly as it did before. A token that comes before any visual gets
    nothing from the cross-attention; the gated feed-forward still runs on it.

    Args:
        dim: width of the language model.
        visual_dim: width of the visual tokens.
        num_heads: attention heads.
        head_dim: width of one head.
        ffw_multiple: hidden width of the feed-forward divided by `dim`.
        activation: of the feed-forward, see `FeedForward`.
        ffw_dim: hidden width of the feed-forward, where it is not a multiple of `dim`.
        is_gated: without gates, both outputs are added as they are.
        gate_shape: see `closed_gate`.
        norm_kind: of text, see `norms.NORMS`.
        norm_eps: what norms add to the variance.
        **settings: of `GatedXattn`.

    Paper: Sec. 2.2, App. A.1.2, Fig. 4; Table 3 for the variant without gates.
    """

    def __init__(
        self,
        *,
        dim: int,
        visual_dim: int,
        num_heads: int,
        head_dim: int,
        ffw_multiple: int = 4,
        activation: str = "squared_relu",
        ffw_dim: int | None = None,
        is_gated: bool = True,
        gate_shape: str = "scalar",
        norm_kind: str = "layer",
        norm_eps: float = EPS,
        **settings: Any,
    ) -> None:
        super().__init__(
            dim=dim, visual_dim=visual_dim, num_heads=num_heads, head_dim=head_dim,
            is_gated=is_gated, gate_shape=gate_shape, norm_kind=norm_kind, norm_eps=norm_eps,
            **settings,
        )  # fmt: skip
        self.feed_forward = FeedForward(
            dim=dim, multiple=ffw_multiple, activation=activation, hidden_dim=ffw_dim,
            norm_kind=norm_kind, norm_eps=norm_eps,
        )  # fmt: skip
        self.alpha_dense = closed_gate(is_gated, gate_shape, dim)

    def forward(
        self,
        text: Float[Tensor, "batch tokens dim"],
        keys: Float[Tensor, "stored heads positions head_dim"] | None,
        values: Float[Tensor, "stored heads positions head_dim"] | None,
        visibility: Visibility | None,
        visual_tokens: Float[Tensor, "batch visuals latents visual_dim"] | None = None,
    ) -> Float[Tensor, "batch tokens dim"]:
        """The text, with what it sees added. Without keys (text only) it sees nothing.

        Where nothing is kept between passes, as in training, keys and values are made here, of
        `visual_tokens`: all that this layer computes is then inside of its forward pass, where
        activation checkpointing and sharding look for it.
        """
        seen = self.seen(text, keys, values, visibility, visual_tokens)
        if seen is not None:
            text = text + seen
        dense = self.feed_forward(text.to(self.attention.to_queries.weight.dtype))
        return text + through_gate(self.alpha_dense, dense).to(text.dtype)


def closed_gate(is_gated: bool, shape: str = "scalar", dim: int = 1) -> nn.Parameter | None:
    """A gate α that lets nothing through yet, or none.

    Args:
        is_gated: whether there is one.
        shape: "scalar" for one α, the paper's; "vector" for one per channel, as in IDEFICS.
        dim: the channels.
    """
    # Of shape [1]: sharded training refuses parameters without a dimension.
    return nn.Parameter(torch.zeros(dim if shape == "vector" else 1)) if is_gated else None


def through_gate(
    alpha: nn.Parameter | None, branch: Float[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """What the gate lets through: tanh(α) of it, or all of it where there is no gate."""
    return branch if alpha is None else alpha.tanh() * branch


def gate_opening(alpha: Tensor) -> float:
    """|tanh α| of a gate, the mean of it where there is one per channel: 0 is closed, 1 open.

    Paper: Fig. 6.
    """
    return float(alpha.detach().float().tanh().abs().mean())
