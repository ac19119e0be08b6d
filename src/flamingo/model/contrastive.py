"""Two towers, for pictures and for text, that learn which caption belongs to which picture."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from flamingo.foundation.errors import ConfigError
from flamingo.model.vision_encoder import VisionEncoder

_INITIAL_INVERSE_TEMPERATURE = 1 / 0.07


class Embeddings(NamedTuple):
    """Pictures and captions in the shared space, pair by pair, at distance 1 from the origin."""

    visuals: Float[Tensor, "batch dim"]
    texts: Float[Tensor, "batch dim"]
    inverse_temperature: Float[Tensor, "1"]

    def logits(self) -> Float[Tensor, "batch batch"]:
        """How well each picture (row) and each caption (column) fit."""
        return self.visuals @ self.texts.T * self.inverse_temperature


class ContrastiveModel(nn.Module):
    """Trains a vision encoder from scratch by matching pictures with their captions.

    Both towers end in a mean, over the positions of the grid and over the tokens of the
    caption; a linear projection into one shared space; and a division by the length. Pictures
    and captions are compared by their scalar product times a learned inverse temperature.
    Flamingo keeps the vision encoder alone, frozen; the rest is thrown away.

    Args:
        vision_encoder: the picture tower, without its mean and its projection.
        text_encoder: the text tower; `build_text_tower` makes one of BERT's architecture.
        dim: width of the shared space.
        initial_inverse_temperature: where it starts. The paper does not say; the common
            start is 1 / 0.07.

    Paper: Sec. 2.1 and App. B.1.3; 1,376 dimensions there.
    """

    def __init__(
        self,
        vision_encoder: VisionEncoder,
        text_encoder: BertModel,
        *,
        dim: int,
        initial_inverse_temperature: float = _INITIAL_INVERSE_TEMPERATURE,
    ) -> None:
        super().__init__()
        if dim < 1 or initial_inverse_temperature <= 0:
            raise ConfigError(
                "the shared space needs at least one dimension, and the inverse temperature "
                f"must be above 0, but dim is {dim} and initial_inverse_temperature is "
                f"{initial_inverse_temperature}."
            )
        self.vision_encoder = vision_encoder
        self.text_encoder = text_encoder
        self.visual_projection = nn.Linear(vision_encoder.width, dim, bias=False)
        self.text_projection = nn.Linear(text_encoder.config.hidden_size, dim, bias=False)
        # Learned as a logarithm, so that it stays above 0.
        self.log_inverse_temperature = nn.Parameter(
            torch.tensor([math.log(initial_inverse_temperature)])
        )

    def embed_pixels(
        self, pixels: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch dim"]:
        """Where each picture lies in the shared space, at distance 1 from the origin."""
        pooled = self.vision_encoder(pixels).mean(dim=1)
        return F.normalize(self.visual_projection(pooled).float(), dim=-1)

    def embed_text(
        self, token_ids: Int[Tensor, "batch tokens"], token_mask: Int[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch dim"]:
        """Where each caption lies in the shared space, at distance 1 from the origin."""
        hidden = self.text_encoder(input_ids=token_ids, attention_mask=token_mask)[0]
        weights = token_mask.to(hidden.dtype).unsqueeze(-1)
        pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
        return F.normalize(self.text_projection(pooled).float(), dim=-1)

    def forward(
        self,
        pixels: Float[Tensor, "batch 3 height width"],
        token_ids: Int[Tensor, "batch tokens"],
        token_mask: Int[Tensor, "batch tokens"],
    ) -> Embeddings:
        """Where pictures and captions lie; the logits, with the pairs of every process in them,
        are for who knows the processes to make."""
        return Embeddings(
            self.embed_pixels(pixels),
            self.embed_text(token_ids, token_mask),
            self.log_inverse_temperature.exp(),
        )


def contrastive_loss(
    to_text: Float[Tensor, "rows columns"],
    to_visual: Float[Tensor, "rows columns"],
    *,
    first: int = 0,
    label_smoothing: float = 0.1,
) -> Float[Tensor, ""]:
    """Cross entropy of finding the caption of each picture plus that of finding its picture.

    The other pairs of the batch are the wrong answers. The rows may be a part of the batch; the
    columns are all of it.

    Args:
        to_text: logits of pictures (rows) and captions (columns).
        to_visual: logits of captions (rows) and pictures (columns).
        first: the column that belongs to row 0; each further row belongs to the next one.
        label_smoothing: share of the target that is spread evenly over the columns.

    Paper: App. B.1.3.
    """
    targets = torch.arange(first, first + len(to_text), device=to_text.device)
    found_text = F.cross_entropy(to_text, targets, label_smoothing=label_smoothing)
    found_visual = F.cross_entropy(to_visual, targets, label_smoothing=label_smoothing)
    return found_text + found_visual


def build_text_tower(
    *,
    vocab_size: int,
    dim: int,
    num_layers: int,
    num_heads: int,
    max_tokens: int,
    pad_id: int = 0,
) -> BertModel:
    """A text tower of BERT's architecture, with random weights and without dropout."""
    config = BertConfig(
        vocab_size=vocab_size,
        hidden_size=dim,
        num_hidden_layers=num_layers,
        num_attention_heads=num_heads,
        intermediate_size=4 * dim,
        max_position_embeddings=max_tokens,
        type_vocab_size=1,
        pad_token_id=pad_id,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return BertModel(config, add_pooling_layer=False)
