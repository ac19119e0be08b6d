"""The feed-forward half of a new layer: normalize, widen, activate, narrow."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from flamingo.foundation.errors import ConfigError, nearest


def squared_relu(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """ReLU, squared. It beat GELU in the trained layers (paper: App. A.1.2)."""
    return F.relu(x).square()


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "squared_relu": squared_relu,
    "gelu": F.gelu,
    "relu": F.relu,
}


class FeedForward(nn.Module):
    """Layer norm, then two linear maps with an activation between them. No residual, no biases.

    Args:
        dim: width of the input and the output.
        multiple: hidden width divided by `dim`; 4 in the paper.
        activation: a key of `ACTIVATIONS`.

    Raises:
        ConfigError: `activation` is not a known name.

    Paper: App. A.1, Table 4 (FFW hidden size 4D, squared ReLU).
    """

    def __init__(self, *, dim: int, multiple: int = 4, activation: str = "squared_relu") -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ConfigError(f"No activation {activation!r}. {nearest(activation, ACTIVATIONS)}")
        self.activation = ACTIVATIONS[activation]
        self.norm = nn.LayerNorm(dim)
        self.widen = nn.Linear(dim, multiple * dim, bias=False)
        self.narrow = nn.Linear(multiple * dim, dim, bias=False)

    def forward(self, x: Float[Tensor, "*batch dim"]) -> Float[Tensor, "*batch dim"]:
        """One pass, without the residual."""
        return self.narrow(self.activation(self.widen(self.norm(x))))
