"""Normalizer-free ResNets, the paper's vision encoder: F0 to F6 by name, or of any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from timm.models import nfnet as timm_nfnet
from timm.models.nfnet import NfCfg, NormFreeNet
from torch import Tensor, nn
from transformers import PreTrainedConfig

from flamingo.foundation.errors import ConfigError, nearest

NFNET_VARIANTS = tuple(f"{family}_f{i}" for family in ("dm_nfnet", "nfnet") for i in range(7))
_STEMS = ("deep_quad", "deep_tiered", "deep", "3x3", "7x7", "deep_pool", "3x3_pool", "7x7_pool")
_ACTIVATIONS = ("relu", "gelu", "silu")


class NFNetConfig(PreTrainedConfig):
    """Says which normalizer-free ResNet encodes the visuals, and how pixels are prepared for it.

    Args:
        variant: "dm_nfnet_f0" to "dm_nfnet_f6" (as published; F6 is the paper's),
            "nfnet_f0" to "nfnet_f6" (the same sizes in timm's faster form), or "custom".
        image_size: height and width of the pictures, in pixels.
        mean: what is subtracted from each channel of pixels in 0..1.
        std: what each channel is then divided by.
        drop_path_rate: share of the residual branches that training skips.
        depths: blocks per stage; the fields from here on are read for "custom" only.
        channels: width of each stage.
        stem: the convolutions before the first stage: "deep_quad" as in F0 to F6, or
            "3x3", "7x7", "deep", "deep_tiered", each also with a max-pool: "3x3_pool", ….
        stem_channels: width of the stem; that of the first stage if None.
        group_size: channels per group of a block's 3 x 3 convolution; ungrouped if None.
        bottleneck_ratio: inner width of a block, as a share of its outer width.
        has_extra_conv: whether blocks have two 3 x 3 convolutions, as in F0 to F6.
        has_squeeze_excite: whether blocks weigh their channels, as in F0 to F6.
        activation: "relu", "gelu" or "silu".
        num_features: width after the final 1 x 1 convolution; no such convolution if 0.
    """

    model_type = "flamingo_nfnet"

    # Written out: the constructor that transformers would derive refuses what it has itself
    # written into a file as soon as types are checked at run time, as in the tests.
    def __init__(
        self,
        *,
        variant: str = "dm_nfnet_f6",
        image_size: int = 320,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
        drop_path_rate: float = 0.0,
        depths: Sequence[int] = (1, 2, 6, 3),
        channels: Sequence[int] = (256, 512, 1536, 1536),
        stem: str = "deep_quad",
        stem_channels: int | None = None,
        group_size: int | None = None,
        bottleneck_ratio: float = 0.5,
        has_extra_conv: bool = False,
        has_squeeze_excite: bool = False,
        activation: str = "gelu",
        num_features: int = 0,
        **kwargs: Any,
    ) -> None:
        self.variant = variant
        self.image_size = image_size
        self.mean = list(mean)
        self.std = list(std)
        self.drop_path_rate = drop_path_rate
        self.depths = list(depths)
        self.channels = list(channels)
        self.stem = stem
        self.stem_channels = stem_channels
        self.group_size = group_size
        self.bottleneck_ratio = bottleneck_ratio
        self.has_extra_conv = has_extra_conv
        self.has_squeeze_excite = has_squeeze_excite
        self.activation = activation
        self.num_features = num_features
        super().__init__(**kwargs)


class NFNetGrid(nn.Module):
    """The last grid of a normalizer-free ResNet, after its final convolution and activation.

    Args:
        net: the network, without its classifier.

    Paper: Sec. 2.1: the 2-D grid of features is flattened to one dimension.
    """

    def __init__(self, net: NormFreeNet) -> None:
        super().__init__()
        self.net = net
        self.width = int(net.num_features)

    def forward(
        self, pixels: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch positions channels"]:
        """The features of all positions, row by row from the top left."""
        return self.net.forward_features(pixels).flatten(2).transpose(1, 2)


def build_nfnet(config: NFNetConfig) -> NFNetGrid:
    """Builds the network that `config` names or describes, with random weights.

    Raises:
        ConfigError: a name does not exist, or stages and widths do not pair up.
    """
    kwargs: dict[str, Any] = {"num_classes": 0, "drop_path_rate": config.drop_path_rate}
    if config.variant != "custom":
        if config.variant not in NFNET_VARIANTS:
            known = [*NFNET_VARIANTS, "custom"]
            raise ConfigError(
                f"there is no NFNet named {config.variant!r}. {nearest(config.variant, known)}"
            )
        return NFNetGrid(NormFreeNet(timm_nfnet.model_cfgs[config.variant], **kwargs))
    return NFNetGrid(NormFreeNet(_custom(config), **kwargs))


def _custom(config: NFNetConfig) -> NfCfg:
    if len(config.depths) != len(config.channels) or not config.depths:
        raise ConfigError(
            f"each stage needs a depth and a width, but depths has {len(config.depths)} entries "
            f"{list(config.depths)} and channels has {len(config.channels)} "
            f"{list(config.channels)}. Give as many of one as of the other."
        )
    for name, value, known in (
        ("stem", config.stem, _STEMS),
        ("activation", config.activation, _ACTIVATIONS),
    ):
        if value not in known:
            raise ConfigError(f"there is no {name} named {value!r}. {nearest(value, known)}")
    return NfCfg(
        depths=tuple(config.depths),  # type: ignore[arg-type]
        channels=tuple(config.channels),  # type: ignore[arg-type]
        stem_type=config.stem,
        stem_chs=config.stem_channels,
        group_size=config.group_size,
        bottle_ratio=config.bottleneck_ratio,
        extra_conv=config.has_extra_conv,
        attn_layer="se" if config.has_squeeze_excite else None,
        attn_kwargs={"rd_ratio": 0.5} if config.has_squeeze_excite else None,
        act_layer=config.activation,
        num_features=config.num_features,
        skipinit=True,
    )
