"""Turns the pixels of one frame into a sequence of features; any encoder behind one face."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    PreTrainedConfig,
    PreTrainedModel,
    SiglipVisionConfig,
    SiglipVisionModel,
)

from flamingo.foundation.errors import ConfigError
from flamingo.model.nfnet import NFNetConfig, build_nfnet

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
SIGLIP_MEAN = (0.5, 0.5, 0.5)
SIGLIP_STD = (0.5, 0.5, 0.5)


class VisionEncoder(nn.Module):
    """Encodes frames one by one, and says how their pixels must be prepared.

    Args:
        body: maps pixels to features, [batch, positions, width].
        width: width of the features.
        image_size: height and width that the body expects, in pixels.
        mean: what is subtracted from each channel of pixels in 0..1 before they come here.
        std: what each channel is then divided by.

    Attributes:
        config: the configuration it was built from, once `build_vision_encoder` has built it.
        settings: the further settings it was built with.

    Paper: Sec. 2.1.
    """

    config: PreTrainedConfig
    settings: dict[str, Any]

    def __init__(
        self,
        body: nn.Module,
        *,
        width: int,
        image_size: int,
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        super().__init__()
        self.body = body
        self.width = width
        self.image_size = image_size
        self.mean = tuple(mean)
        self.std = tuple(std)

    def forward(
        self, pixels: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch positions channels"]:
        """The features of each frame's positions, row by row from the top left."""
        return self.body(pixels)


class ViTPatches(nn.Module):
    """The patch tokens of a vision transformer of transformers.

    Args:
        tower: the transformer, with `embeddings` and `encoder` inside.
        num_prefix_tokens: tokens before the patches (1 if there is a class token).
        keep_cls: whether those tokens stay in the sequence.
        feature_layer: which hidden state is taken: 0 is the input of the first layer, -1 the
            output of the last, -2 the one before, ….
        use_post_norm: whether the tower's last layer norm is applied to it.
    """

    def __init__(
        self,
        tower: PreTrainedModel,
        *,
        num_prefix_tokens: int = 0,
        keep_cls: bool = False,
        feature_layer: int = -1,
        use_post_norm: bool = True,
    ) -> None:
        super().__init__()
        self.tower: Any = tower
        self.num_skipped = 0 if keep_cls else num_prefix_tokens
        self.feature_layer = feature_layer
        self.use_post_norm = use_post_norm

    def forward(
        self, pixels: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch positions channels"]:
        """The chosen hidden state of each patch."""
        # The embeddings and layers are called one by one: a tower's own forward may or may not
        # apply the last norm, and keeps all hidden states when asked for one.
        hidden = self.tower.embeddings(pixels)
        if hasattr(self.tower, "pre_layrnorm"):
            hidden = self.tower.pre_layrnorm(hidden)
        layers = self.tower.encoder.layers
        num_layers = range(len(layers) + 1)[self.feature_layer]
        for layer in layers[:num_layers]:
            hidden = layer(hidden, attention_mask=None)
        if self.use_post_norm:
            hidden = self.tower.post_layernorm(hidden)
        return hidden[:, self.num_skipped :]


def build_vision_encoder(config: PreTrainedConfig, **settings: Any) -> VisionEncoder:
    """Builds a vision encoder with random weights; it remembers how it was built.

    Args:
        config: an `NFNetConfig`, a CLIP or SigLIP vision config, or a config that holds one
            as its `vision_config`.
        **settings: `image_size`, `mean` and `std` replace what the config or the family says;
            `keep_cls`, `feature_layer` and `use_post_norm` (transformers only) are explained at
            `ViTPatches`.

    Raises:
        ConfigError: no encoder is known for this config, or a setting does not fit it.
    """
    config = getattr(config, "vision_config", config)
    own = {name: value for name, value in settings.items() if name != "image_size"}
    image_size = settings.get("image_size")
    is_changed = image_size not in (None, getattr(config, "image_size", None))
    if is_changed:
        config = copy.deepcopy(config)
        config.image_size = image_size
    encoder = _build(config, **own)
    if is_changed:
        _check_size(encoder, encoder.image_size)
    encoder.config, encoder.settings = config, settings
    return encoder


def _check_size(encoder: VisionEncoder, image_size: int) -> None:
    """Positions at a border that sees less than the others would mean something new."""
    body: Any = encoder.body
    if isinstance(body, ViTPatches):
        step, what = int(body.tower.config.patch_size), "patches"
    else:
        step, what = int(body.net.feature_info[-1]["reduction"]), "steps"
    if image_size < step or image_size % step:
        below, above = max(1, image_size // step) * step, (image_size // step + 1) * step
        raise ConfigError(
            f"image_size is {image_size}, but this vision encoder sees in {what} of {step} pixels."
            f"\nGive a multiple of {step}, for instance {below} or {above}."
        )


def _build(
    config: PreTrainedConfig,
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    keep_cls: bool = False,
    feature_layer: int = -1,
    use_post_norm: bool = True,
) -> VisionEncoder:
    if isinstance(config, NFNetConfig):
        grid = build_nfnet(config)
        return VisionEncoder(
            grid,
            width=grid.width,
            image_size=config.image_size,
            mean=mean or config.mean,
            std=std or config.std,
        )
    tower, num_prefix_tokens, own_mean, own_std = _tower(config)
    if not -config.num_hidden_layers - 1 <= feature_layer <= config.num_hidden_layers:
        raise ConfigError(
            f"feature_layer is {feature_layer}, but this encoder has "
            f"{config.num_hidden_layers} layers. Give a number from 0 to "
            f"{config.num_hidden_layers}, or a negative one counted from the end."
        )
    patches = ViTPatches(
        tower,
        num_prefix_tokens=num_prefix_tokens,
        keep_cls=keep_cls,
        feature_layer=feature_layer,
        use_post_norm=use_post_norm,
    )
    return VisionEncoder(
        patches,
        width=config.hidden_size,
        image_size=config.image_size,
        mean=mean or own_mean,
        std=std or own_std,
    )


def _tower(
    config: PreTrainedConfig,
) -> tuple[PreTrainedModel, int, Sequence[float], Sequence[float]]:
    """The transformer, its number of tokens before the patches, and its mean and deviation."""
    if isinstance(config, CLIPVisionConfig):
        return CLIPVisionModel(config), 1, CLIP_MEAN, CLIP_STD
    if isinstance(config, SiglipVisionConfig):
        tower = SiglipVisionModel(config)
        if tower.use_head:
            # The head pools all patches into one vector, which nothing here reads.
            del tower.head
            tower.use_head = False
        return tower, 0, SIGLIP_MEAN, SIGLIP_STD
    kind = getattr(config, "model_type", "") or type(config).__name__
    raise ConfigError(
        f"there is no vision encoder for a config of type {kind!r} ({type(config).__name__}). "
        "Supported: NFNetConfig (timm's normalizer-free ResNets), CLIPVisionConfig, "
        "SiglipVisionConfig (also for SigLIP 2 at a fixed resolution), and configs that hold "
        "one of these as their vision_config."
    )
