"""The three models of the paper, as settings.

Where the paper contradicts itself, the record holds what fits its parameter table, and
`docs/deviations.md` says what was printed.
"""

from __future__ import annotations

from dataclasses import dataclass

from flamingo.foundation.errors import ConfigError, nearest


@dataclass(frozen=True)
class LanguageModelShape:
    """A decoder-only language model of the Chinchilla family.

    The paper gives it 12·dim² parameters per layer plus dim² for relative positions. A stock
    Llama with a feed-forward of 3·dim has the same 13·dim², and the same RMSNorm.
    """

    num_layers: int
    dim: int
    num_heads: int
    vocabulary: int = 32_000
    context: int = 2_048

    @property
    def feed_forward_dim(self) -> int:
        """Width of the feed-forward: three matrices of 3·dim² for the paper's two of 4·dim²."""
        return 3 * self.dim

    @property
    def num_parameters(self) -> int:
        """The paper's count: 13·dim² per layer and one embedding that is also the output."""
        return 13 * self.dim**2 * self.num_layers + self.vocabulary * self.dim


@dataclass(frozen=True)
class VisionShape:
    """The vision encoder: an NFNet, pretrained at another resolution than it is used at."""

    variant: str = "dm_nfnet_f6"
    image_size: int = 320
    width: int = 3_072


@dataclass(frozen=True)
class ResamplerShape:
    """The Perceiver Resampler, the same for all three models."""

    num_layers: int = 6
    dim: int = 1_536
    num_heads: int = 16
    head_dim: int = 128
    num_latents: int = 64
    num_trained_frames: int = 8


@dataclass(frozen=True)
class ModelPreset:
    """One model of the paper.

    Args:
        name: what users type.
        printed_as: its name in the paper.
        language_model: the frozen language model.
        every: one gated layer before the language model's blocks 0, every, 2·every, …
        vision: the frozen vision encoder.
        resampler: what turns its features into visual tokens.
        gated_head_dim: width of an attention head in the gated layers.
        note: what a reader of the paper would stumble over.

    Paper: Table 4 (App. A.1.1) and Table 5 of v2; Tables 13 and 1 of v1.
    """

    name: str
    printed_as: str
    language_model: LanguageModelShape
    every: int
    vision: VisionShape = VisionShape()
    resampler: ResamplerShape = ResamplerShape()
    gated_head_dim: int = 128
    note: str = ""

    @property
    def num_gated_layers(self) -> int:
        """How many of the language model's blocks have a gated layer before them."""
        return -(-self.language_model.num_layers // self.every)


MODELS: dict[str, ModelPreset] = {
    preset.name: preset
    for preset in (
        ModelPreset(
            name="flamingo-3b",
            printed_as="Flamingo-3B",
            language_model=LanguageModelShape(num_layers=24, dim=2_048, num_heads=16),
            every=1,
        ),
        ModelPreset(
            name="flamingo-9b",
            printed_as="Flamingo-9B",
            language_model=LanguageModelShape(num_layers=32, dim=4_096, num_heads=32),
            every=4,
            note=(
                "The paper prints 40 language model layers and 10 gated layers; "
                "only 32 and 8 give its 7.1B and 1.6B."
            ),
        ),
        ModelPreset(
            name="flamingo-80b",
            printed_as="Flamingo",
            language_model=LanguageModelShape(num_layers=80, dim=8_192, num_heads=64),
            every=7,
            note=(
                "12 gated layers of this width have 9.7B parameters, "
                "which the paper rounds to 10B in both of its tables."
            ),
        ),
    )
}


def model_preset(name: str) -> ModelPreset:
    """The preset called `name`.

    Raises:
        ConfigError: there is no such preset; the message lists those that there are.
    """
    if name not in MODELS:
        raise ConfigError(f"there is no model preset called {name!r}. {nearest(name, MODELS)}")
    return MODELS[name]
