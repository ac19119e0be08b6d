"""The records of the paper's models, and the arithmetic behind them."""

from __future__ import annotations

import pytest

from flamingo.foundation.errors import ConfigError
from flamingo.presets.models import MODELS, LanguageModelShape, model_preset


@pytest.mark.parametrize(
    ("name", "num_layers", "num_gated"),
    [("flamingo-3b", 24, 24), ("flamingo-9b", 32, 8), ("flamingo-80b", 80, 12)],
)
def test_layers_and_gated_layers(name: str, num_layers: int, num_gated: int) -> None:
    preset = model_preset(name)
    assert preset.language_model.num_layers == num_layers
    assert preset.num_gated_layers == num_gated
    assert preset.num_gated_layers == len(range(0, num_layers, preset.every))


def test_heads_of_the_language_models_are_128_wide() -> None:
    for preset in MODELS.values():
        assert preset.language_model.dim == 128 * preset.language_model.num_heads


def test_the_printed_shape_of_9b_contradicts_its_printed_size() -> None:
    printed = LanguageModelShape(num_layers=40, dim=4_096, num_heads=32)
    assert printed.num_parameters > 1.2 * 7.1e9
    assert model_preset("flamingo-9b").language_model.num_parameters == pytest.approx(
        7.1e9, rel=0.03
    )


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean 'flamingo-9b'.*flamingo-80b"):
        model_preset("flamingo-9")
