"""What the paper holds against the Perceiver Resampler, with as many parameters."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flamingo.model.attention import CrossAttention
from flamingo.model.feed_forward import ACTIVATIONS, FeedForward
from flamingo.model.perceiver_resampler import PerceiverResampler
from flamingo.model.regions import to_regions


class TransformerResampler(PerceiverResampler):
    """A Transformer encoder over the features and learned tokens; what those become is kept.

    Unlike in the Perceiver Resampler the features are rewritten in each layer as well, which costs
    time that grows with the square of their number, and nearly no parameters.

    Args:
        visual_dim: width of the vision encoder's features.
        dim: width of the encoder.
        num_layers: its layers.
        num_latents: learned tokens, which come out as visual tokens.
        num_heads: attention heads.
        head_dim: width of one head.
        ffw_multiple: hidden width of the feed-forward divided by `dim`.
        activation: of the feed-forward, see `feed_forward.ACTIVATIONS`.
        num_time_embeddings: as of the `PerceiverResampler`.

    Paper: Sec. 3.3, Table 3 ("Transformer"). Its shape is not given; it has the resampler's.
    """

    def __init__(
        self,
        *,
        visual_dim: int,
        dim: int,
        num_layers: int = 6,
        num_latents: int = 64,
        num_heads: int = 16,
        head_dim: int = 128,
        ffw_multiple: int = 4,
        activation: str = "squared_relu",
        num_time_embeddings: int = 8,
    ) -> None:
        super().__init__(
            visual_dim=visual_dim, dim=dim, num_layers=0, num_latents=num_latents,
            num_time_embeddings=num_time_embeddings,
        )  # fmt: skip
        self.layers = nn.ModuleList(
            TransformerLayer(
                dim=dim,
                num_heads=num_heads,
                head_dim=head_dim,
                ffw_multiple=ffw_multiple,
                activation=activation,
            )
            for _ in range(num_layers)
        )

    def forward(
        self, features: Float[Tensor, "visuals frames positions visual_dim"]
    ) -> Float[Tensor, "visuals latents dim"]:
        """The visual tokens of each visual. All visuals of one call have the same frame count."""
        features = self.lead_in(features)
        if self.time_embeddings is not None:
            features = features + self._time(features.shape[1])[:, None]
        positions = features.flatten(1, 2)
        latents = self.latents.expand(len(positions), -1, -1)
        tokens = torch.cat([positions, latents.to(positions.dtype)], dim=1)
        for layer in self.layers:
            tokens = layer(tokens)
        return self.norm(tokens[:, -len(self.latents) :])


class TransformerLayer(nn.Module):
    """One pre-norm layer of a Transformer encoder, of the widths of a resampler's layer."""

    def __init__(
        self, *, dim: int, num_heads: int, head_dim: int, ffw_multiple: int, activation: str
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.attention = CrossAttention(
            query_dim=dim, source_dim=dim, num_heads=num_heads, head_dim=head_dim
        )
        self.feed_forward = FeedForward(dim=dim, multiple=ffw_multiple, activation=activation)

    def forward(
        self, tokens: Float[Tensor, "visuals positions dim"]
    ) -> Float[Tensor, "visuals positions dim"]:
        """Every token after one look at every token."""
        normed, attention = self.norm(tokens), self.attention
        tokens = tokens + attention.read(attention.queries(normed), *attention.keys_values(normed))
        return tokens + self.feed_forward(tokens)


class MlpResampler(PerceiverResampler):
    """A perceptron with one hidden layer, from all features of a frame to all visual tokens.

    A perceptron has a fixed number of inputs. Features of any number of positions are therefore
    first averaged over regions of the picture, to `num_latents` positions. Each frame is marked by
    its time embedding and goes through the first layer alone; the frames' hidden units are
    averaged, and the second layer makes the visual tokens of that. Order is not lost, since the
    hidden layer is not linear in the time embedding.

    Args:
        visual_dim: width of the vision encoder's features.
        dim: width of the visual tokens.
        num_parameters: how many parameters to have, about; they decide the hidden width.
        num_latents: visual tokens that come out.
        activation: of the hidden layer, see `feed_forward.ACTIVATIONS`.
        num_time_embeddings: as of the `PerceiverResampler`.

    Paper: Sec. 3.3, Table 3 ("MLP", of the same parameter budget). Its shape is not given.
    """

    def __init__(
        self,
        *,
        visual_dim: int,
        dim: int,
        num_parameters: int,
        num_latents: int = 64,
        activation: str = "squared_relu",
        num_time_embeddings: int = 8,
    ) -> None:
        # The learned latents of the base class are the bias of the second layer here.
        super().__init__(
            visual_dim=visual_dim, dim=dim, num_layers=0, num_latents=num_latents,
            num_time_embeddings=num_time_embeddings,
        )  # fmt: skip
        self.features_norm = nn.LayerNorm(dim)
        flat = num_latents * dim
        left = num_parameters - sum(value.numel() for value in self.parameters())
        hidden = max(1, round(left / (2 * flat)))
        self.widen = nn.Linear(flat, hidden, bias=False)
        self.narrow = nn.Linear(hidden, flat, bias=False)
        self.activation = ACTIVATIONS[activation]

    def forward(
        self, features: Float[Tensor, "visuals frames positions visual_dim"]
    ) -> Float[Tensor, "visuals latents dim"]:
        """The visual tokens of each visual. All visuals of one call have the same frame count."""
        features = self.lead_in(to_regions(features, len(self.latents)))
        if self.time_embeddings is not None:
            features = features + self._time(features.shape[1])[:, None]
        hidden = self.activation(self.widen(self.features_norm(features).flatten(2)))
        tokens = self.narrow(hidden.mean(1)).unflatten(-1, self.latents.shape)
        return self.norm(self.latents + tokens)


def num_parameters(**shape: int | str) -> int:
    """How many parameters a Perceiver Resampler of this shape has."""
    with torch.device("meta"):
        perceiver = PerceiverResampler(**shape)  # type: ignore[arg-type]
    return sum(value.numel() for value in perceiver.parameters())
