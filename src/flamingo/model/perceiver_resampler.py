"""The Perceiver Resampler: from any number of features to a fixed number of visual tokens."""

from __future__ import annotations

from math import isqrt

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from flamingo.foundation.errors import ConfigError, SequenceError
from flamingo.model.attention import CrossAttention
from flamingo.model.feed_forward import FeedForward
from flamingo.model.regions import interpolated_positions, to_regions


class PerceiverResampler(nn.Module):
    """Turns the features of one visual, of any size and any number of frames, into few tokens.

    Learned latent queries read the features of all frames, layer after layer. Keys and values
    are the features *and* the latents themselves, which the paper found slightly better than
    the features alone. In the paper only time is marked by an embedding, as its encoder's features
    know where they are in the picture; `num_positions` is for others.

    Args:
        visual_dim: width of the vision encoder's features.
        dim: width of the latents. Where it differs from `visual_dim`, a linear map leads in.
        num_layers: layers of attention and feed-forward.
        num_latents: visual tokens that come out (the paper's R).
        num_heads: attention heads.
        head_dim: width of one head.
        ffw_multiple: hidden width of the feed-forward divided by `dim`.
        activation: of the feed-forward, see `FeedForward`.
        num_time_embeddings: frames that have a learned embedding of their own; longer videos
            use embeddings interpolated between these. 0 leaves time unmarked.
        qk_norm: of queries and keys, see `CrossAttention`.
        num_positions: positions of a frame that have a learned embedding of their own, which is
            interpolated for pictures of another size; 0, the paper's, leaves place to the encoder.
        num_local_latents: latents, the first ones, that begin with the features of one region of
            the picture each, averaged over frames. The paper's 0 begin alike for every picture.

    Paper: Sec. 2.1, App. A.1.1, Fig. 5.
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
        qk_norm: str | None = None,
        num_positions: int = 0,
        num_local_latents: int = 0,
    ) -> None:
        super().__init__()
        if num_local_latents > num_latents:
            raise ConfigError(
                f"{num_local_latents} local latents were asked for, but there are {num_latents} in "
                "all. Give more latents, or fewer local ones."
            )
        self.num_local_latents = num_local_latents
        self.lead_in = (
            nn.Linear(visual_dim, dim, bias=False) if visual_dim != dim else nn.Identity()
        )
        self.latents = nn.Parameter(torch.randn(num_latents, dim) * dim**-0.5)
        self.time_embeddings = (
            nn.Parameter(torch.randn(num_time_embeddings, dim) * dim**-0.5)
            if num_time_embeddings
            else None
        )
        self.position_embeddings = (
            nn.Parameter(torch.randn(num_positions, dim) * dim**-0.5) if num_positions else None
        )
        self.layers = nn.ModuleList(
            ResamplerLayer(
                dim=dim,
                num_heads=num_heads,
                head_dim=head_dim,
                ffw_multiple=ffw_multiple,
                activation=activation,
                qk_norm=qk_norm,
            )
            for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(dim)

    def forward(
        self, features: Float[Tensor, "visuals frames positions visual_dim"]
    ) -> Float[Tensor, "visuals latents dim"]:
        """The visual tokens of each visual. All visuals of one call have the same frame count."""
        features = self.lead_in(features)
        latents = self._first_latents(features)
        if self.time_embeddings is not None:
            features = features + self._time(features.shape[1])[:, None]
        if self.position_embeddings is not None:
            features = features + self._place(features.shape[2])
        positions = features.flatten(1, 2)
        for layer in self.layers:
            latents = layer(latents, positions)
        return self.norm(latents)

    def _first_latents(
        self, features: Float[Tensor, "visuals frames positions dim"]
    ) -> Float[Tensor, "visuals latents dim"]:
        """What the latents are before they read anything."""
        latents = self.latents.expand(len(features), -1, -1)
        if not self.num_local_latents:
            return latents
        local = to_regions(features.mean(1, keepdim=True), self.num_local_latents)[:, 0]
        return latents + F.pad(local, (0, 0, 0, len(self.latents) - self.num_local_latents))

    def _time(self, num_frames: int) -> Float[Tensor, "frames dim"]:
        """One embedding per frame: the learned ones, or more of them laid between the same ends."""
        assert self.time_embeddings is not None
        if num_frames <= len(self.time_embeddings):
            return self.time_embeddings[:num_frames]
        stretched = F.interpolate(
            self.time_embeddings.T[None].float(), num_frames, mode="linear", align_corners=True
        )
        return stretched[0].T.to(self.time_embeddings.dtype)

    def _place(self, num_positions: int) -> Float[Tensor, "positions dim"]:
        """One embedding per position of a frame; laid over another grid for another size."""
        assert self.position_embeddings is not None
        known = len(self.position_embeddings)
        if num_positions == known:
            return self.position_embeddings
        if any(isqrt(count) ** 2 != count for count in (num_positions, known)):
            raise SequenceError(
                f"A frame has features at {num_positions} positions, but this resampler knows "
                f"{known}, and can only lay them over another grid if both are squares. Give "
                "pictures of the size that it was trained on."
            )
        return interpolated_positions(self.position_embeddings, num_positions)


class ResamplerLayer(nn.Module):
    """One layer of the resampler: the latents read features and latents, then think.

    Paper: App. A.1.1, Fig. 5; the norms are not in its pseudo-code, see `docs/deviations.md`.
    """

    def __init__(
        self,
        *,
        dim: int,
        num_heads: int,
        head_dim: int,
        ffw_multiple: int,
        activation: str,
        qk_norm: str | None = None,
    ) -> None:
        super().__init__()
        self.features_norm = nn.LayerNorm(dim)
        self.latents_norm = nn.LayerNorm(dim)
        self.attention = CrossAttention(
            query_dim=dim, source_dim=dim, num_heads=num_heads, head_dim=head_dim, qk_norm=qk_norm
        )
        self.feed_forward = FeedForward(dim=dim, multiple=ffw_multiple, activation=activation)

    def forward(
        self,
        latents: Float[Tensor, "visuals latents dim"],
        features: Float[Tensor, "visuals positions dim"],
    ) -> Float[Tensor, "visuals latents dim"]:
        """The latents after one look at the features."""
        queries = self.latents_norm(latents)
        source = torch.cat([self.features_norm(features), queries], dim=1)
        attention = self.attention
        latents = latents + attention.read(
            attention.queries(queries), *attention.keys_values(source)
        )
        return latents + self.feed_forward(latents)
