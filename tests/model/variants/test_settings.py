"""The settings of the variants: their ranges, and that a saved model brings them back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from flamingo.foundation.errors import ConfigError
from flamingo.model.config import FlamingoConfig
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from tests.model.variants.variants_for_tests import VARIANTS
from tests.tiny import inputs, tiny_encoder, tiny_flamingo, tiny_lm

NEW = ("gating", "xattn_at", "xattn_kind", "grafted_layers", "resampler_kind", "sees")


@pytest.mark.parametrize("is_full", [True, False], ids=["full", "trained"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_saved_model_comes_back(variant: str, is_full: bool, tmp_path: Path) -> None:
    model, given = tiny_flamingo(**VARIANTS[variant]), inputs()
    model.config.language_model_source = model.config.vision_encoder_source = "elsewhere"
    model.save_pretrained(tmp_path, full=is_full)
    frozen: dict[str, Any] = (
        {} if is_full else {"language_model": tiny_lm("llama"), "vision_encoder": tiny_encoder()}
    )
    if not is_full:
        frozen["vision_encoder"].load_state_dict(model.vision_encoder.state_dict())
    loaded = FlamingoForConditionalGeneration.from_pretrained(tmp_path, **frozen)
    for name in NEW:
        assert getattr(loaded.config, name) == getattr(model.config, name)
    with torch.no_grad():
        assert torch.equal(loaded(**given).logits, model(**given).logits)


def test_a_configuration_from_before_these_settings_is_the_paper_s(tmp_path: Path) -> None:
    tiny_flamingo().save_pretrained(tmp_path, full=True)
    file = tmp_path / "config.json"
    saved = json.loads(file.read_text())
    for name in NEW:
        saved.pop(name, None)
    file.write_text(json.dumps(saved))
    loaded = FlamingoForConditionalGeneration.from_pretrained(tmp_path)
    with torch.no_grad():
        assert torch.equal(loaded(**inputs()).logits, tiny_flamingo()(**inputs()).logits)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gating": "sigmoid"}, "gating is 'sigmoid', but must be one of 'tanh', 'none'"),
        ({"xattn_at": "end"}, "xattn_at is 'end', but must be one of None, 'middle'"),
        ({"xattn_kind": "plain"}, "xattn_kind is 'plain', but must be one of"),
        ({"resampler_kind": "cnn"}, "resampler_kind is 'cnn', but must be one of"),
        ({"sees": "next"}, "sees is 'next', but must be one of 'last', 'all_previous'"),
        ({"xattn_kind": "grafting", "grafted_layers": 0}, "grafted_layers is 0"),
        ({"grafted_layers": 2}, "xattn_kind is 'gated_xattn_dense', which has none"),
        ({"xattn_kind": "grafting", "xattn_at": "middle"}, "xattn_at is .* no effect"),
    ],
)
def test_what_is_out_of_range_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FlamingoConfig(**settings)


def test_a_single_layer_stands_before_the_middle() -> None:
    model, given = tiny_flamingo(xattn_at="middle"), inputs()
    assert len(model.gated_xattn_dense) == 1
    with torch.no_grad():
        hidden = model(**given, output_hidden_states=True).hidden_states
        other = {**given, "pixel_values": given["pixel_values"] + 1.0}
        changed = model(**other, output_hidden_states=True).hidden_states
    equal = [torch.equal(*pair) for pair in zip(hidden, changed, strict=True)]
    # What enters layers 0, 1 and 2, what leaves layer 2 (seen before it) and the last layer.
    assert equal == [True, True, True, False, False]


def test_without_gates_there_is_no_alpha() -> None:
    for kind in ("gated_xattn_dense", "vanilla", "grafting"):
        model = tiny_flamingo(gating="none", xattn_kind=kind)
        assert not [name for name, _ in model.named_parameters() if "alpha" in name]
