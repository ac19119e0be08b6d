"""The architectures that the paper's ablation tables compare (Table 3; Table 10 of v2)."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from flamingo.model.build import build_flamingo
from flamingo.model.vision_encoder import build_vision_encoder
from flamingo.presets.from_preset import bridge_settings, language_model_config, vision_config
from flamingo.presets.models import model_preset
from tests.families import VOCABULARY, tiny_lm
from tests.model.variants.variants_for_tests import GATED, VARIANTS
from tests.tiny import inputs, tiny_flamingo

ROWS: dict[str, tuple[dict[str, Any], float]] = {
    "baseline": ({}, 3.2),
    "no tanh gating": ({"gating": "none"}, 3.2),
    "vanilla": ({"xattn_kind": "vanilla"}, 2.4),
    "grafting": ({"xattn_kind": "grafting"}, 3.3),
    "single in the middle": ({"xattn_at": "middle"}, 2.0),
    "every 4th": ({"xattn_every": 4}, 2.3),
    "every 2nd": ({"xattn_every": 2}, 2.6),
    "MLP": ({"resampler_kind": "mlp"}, 3.2),
    "Transformer": ({"resampler_kind": "transformer"}, 3.2),
    "all previous": ({"sees": "all_previous"}, 3.2),
}
"""Settings of Flamingo-3B, and the parameters that the paper prints, in units of 10^9."""


def _num_parameters(settings: dict[str, Any]) -> float:
    preset = model_preset("flamingo-3b")
    shape = preset.language_model
    with torch.device("meta"):
        model = build_flamingo(
            AutoModelForCausalLM.from_config(language_model_config(shape)),
            build_vision_encoder(vision_config(preset.vision)),
            eoc_token_id=shape.vocabulary,
            **{**bridge_settings(preset), **settings},
        )
    return sum(value.numel() for value in model.parameters()) / 1e9


@pytest.mark.parametrize("row", ROWS)
def test_parameters_are_the_paper_s(row: str) -> None:
    settings, printed = ROWS[row]
    assert _num_parameters(settings) == pytest.approx(printed, abs=0.11)


@pytest.mark.parametrize("variant", GATED)
@pytest.mark.parametrize("family", ["llama", "qwen3", "lfm2", "gemma3", "opt"])
def test_closed_gates_give_the_logits_of_the_language_model_alone(
    family: str, variant: str
) -> None:
    model, given = tiny_flamingo(family, is_open=False, **VARIANTS[variant]), inputs()
    words = given["input_ids"].clamp(max=VOCABULARY - 1)
    with torch.no_grad():
        expected = tiny_lm(family)(input_ids=words).logits
        logits = model(**{**given, "input_ids": words, "attention_mask": None}).logits
    assert torch.equal(logits[..., :VOCABULARY], expected)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_language_model_still_works_alone(variant: str) -> None:
    model, words = tiny_flamingo(**VARIANTS[variant]), inputs()["input_ids"].clamp(max=49)
    with torch.no_grad():
        assert torch.equal(model.language_model(words).logits, tiny_lm("llama")(words).logits)


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_later_changes_anything_earlier(variant: str) -> None:
    model, given = tiny_flamingo(**VARIANTS[variant]), inputs()
    later, second_tag = {name: value.clone() for name, value in given.items()}, 7
    later["pixel_values"][:, 1] += 1.0
    later["input_ids"][:, second_tag + 1] = 3 + (later["input_ids"][:, second_tag + 1] + 1) % 40
    with torch.no_grad():
        change = (model(**given).logits - model(**later).logits).abs().amax(-1)
    assert change[:, :second_tag].max() < 1e-5
    assert change[:, second_tag:].min() > 1e-4
