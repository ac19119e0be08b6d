"""The feed-forward half of a new layer: normalize, widen, activate, narrow."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from flamingo.foundation.errors import ConfigError, nearest
from flamingo.model.norms import EPS, norm


def squared_relu(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """ReLU, squared. It beat GELU in the trained layers (paper: App. A.1.2)."""
    return F.relu(x).square()


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "squared_relu": squared_relu,
    "gelu": F.gelu,
    "relu": F.relu,
}

GATED_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"swiglu": F.silu, "geglu": F.gelu}
"""With these a third linear map, activated, multiplies what the first has widened."""


class FeedForward(nn.Module):
    """A norm, then two linear maps with an activation between them. No residual, no biases.

    Args:
        dim: width of the input and the output.
        multiple: hidden width divided by `dim`; 4 in the paper.
        activation: a key of `ACTIVATIONS` or of `GATED_ACTIVATIONS`.
        hidden_dim: hidden width, where it is not a multiple of `dim`.
        norm_kind: a key of `norms.NORMS`.
        norm_eps: what the norm adds to the variance.

    Raises:
        ConfigError: `activation` is not a known name.

    Paper: App. A.1, Table 4 (FFW hidden size 4D, squared ReLU).
    """

    def __init__(
        self,
        *,
        dim: int,
        multiple: int = 4,
        activation: str = "squared_relu",
        hidden_dim: int | None = None,
        norm_kind: str = "layer",
        norm_eps: float = EPS,
    ) -> None:
        super().__init__()
        known = ACTIVATIONS | GATED_ACTIVATIONS
        if activation not in known:
            raise ConfigError(f"No activation {activation!r}. {nearest(activation, known)}")
        self.activation = known[activation]
        hidden = hidden_dim or multiple * dim
        self.norm = norm(norm_kind, dim, norm_eps)
        self.widen = nn.Linear(dim, hidden, bias=False)
        self.gate = nn.Linear(dim, hidden, bias=False) if activation in GATED_ACTIVATIONS else None
        self.narrow = nn.Linear(hidden, dim, bias=False)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """One pass, without the residual."""
        x = self.norm(x)
        if self.gate is None:
            return self.narrow(self.activation(self.widen(x)))
        return self.narrow(self.activation(self.gate(x)) * self.widen(x))
