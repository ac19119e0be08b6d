"""Multi-head attention from one sequence to another, the arithmetic that both new modules share."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from flamingo.model.norms import EPS, norm


class CrossAttention(nn.Module):
    """Lets queries read from another sequence, in two steps so that keys and values can be kept.

    The projections carry no biases. Normalization of what comes in is left to the caller, since the
    two users normalize different things.

    Args:
        query_dim: width of the queries and of the output.
        source_dim: width of the sequence that is read.
        num_heads: attention heads.
        head_dim: width of one head; `num_heads * head_dim` need not equal `query_dim`.
        qk_norm: a key of `norms.NORMS` by which queries and keys are normalized, head by head; not
            in the paper, but in IDEFICS.
        norm_eps: what that norm adds to the variance.

    Paper: App. A.1; v1 uses heads of 128 everywhere, v2 of D/H.
    """

    def __init__(
        self,
        *,
        query_dim: int,
        source_dim: int,
        num_heads: int,
        head_dim: int,
        qk_norm: str | None = None,
        norm_eps: float = EPS,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.head_dim = head_dim
        inner = num_heads * head_dim
        self.to_queries = nn.Linear(query_dim, inner, bias=False)
        self.to_keys = nn.Linear(source_dim, inner, bias=False)
        self.to_values = nn.Linear(source_dim, inner, bias=False)
        self.to_output = nn.Linear(inner, query_dim, bias=False)
        self.queries_norm = None if qk_norm is None else norm(qk_norm, head_dim, norm_eps)
        self.keys_norm = None if qk_norm is None else norm(qk_norm, head_dim, norm_eps)

    def queries(
        self, x: Float[Tensor, "batch tokens query_dim"]
    ) -> Float[Tensor, "batch heads tokens head_dim"]:
        """The queries of `x`, split into heads."""
        return self._split(self.to_queries(x), self.queries_norm)

    def keys_values(
        self, source: Float[Tensor, "batch positions source_dim"]
    ) -> tuple[
        Float[Tensor, "batch heads positions head_dim"],
        Float[Tensor, "batch heads positions head_dim"],
    ]:
        """What `source` offers to be read; compute it once and use it for any number of queries."""
        keys = self._split(self.to_keys(source), self.keys_norm)
        return keys, self._split(self.to_values(source))

    def attend(
        self,
        queries: Float[Tensor, "batch heads tokens head_dim"],
        keys: Float[Tensor, "batch heads positions head_dim"],
        values: Float[Tensor, "batch heads positions head_dim"],
    ) -> Float[Tensor, "batch heads tokens head_dim"]:
        """What the queries find, head by head."""
        if torch.is_grad_enabled() and queries.requires_grad and queries.device.type == "cpu":
            # The fused kernel's backward was half of all attention's time there.
            return self.weights(queries, keys).to(values.dtype) @ values
        return F.scaled_dot_product_attention(queries, keys, values)

    def read(
        self,
        queries: Float[Tensor, "batch heads tokens head_dim"],
        keys: Float[Tensor, "batch heads positions head_dim"],
        values: Float[Tensor, "batch heads positions head_dim"],
    ) -> Float[Tensor, "batch tokens query_dim"]:
        """What the queries find, in the width of the queries' own sequence."""
        return self.to_output(self.attend(queries, keys, values).transpose(1, 2).flatten(2))

    def weights(
        self,
        queries: Float[Tensor, "batch heads tokens head_dim"],
        keys: Float[Tensor, "batch heads positions head_dim"],
    ) -> Float[Tensor, "batch heads tokens positions"]:
        """How much each query looks at each position."""
        return torch.softmax(queries @ keys.transpose(-1, -2) / self.head_dim**0.5, dim=-1)

    def _split(
        self, x: Float[Tensor, "batch length inner"], head_norm: nn.Module | None = None
    ) -> Float[Tensor, "batch heads length head_dim"]:
        heads = x.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2)
        return heads if head_norm is None else head_norm(heads)
