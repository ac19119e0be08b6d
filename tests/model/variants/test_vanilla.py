"""Vanilla cross-attention stands between self-attention and feed-forward of pre-norm families."""

from __future__ import annotations

import copy
from types import MethodType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    GPTNeoXConfig,
    GraniteConfig,
    Olmo2Config,
    OPTConfig,
    PreTrainedConfig,
    PreTrainedModel,
)

from flamingo.foundation.errors import LanguageModelError
from flamingo.model.language_model import Host
from flamingo.model.variants.insertion import Insertion, insertion_points
from flamingo.model.visibility import Visibility
from tests.families import FAMILIES, tiny_lm
from tests.tiny import inputs, tiny_flamingo

PLACES = {
    "llama": ("post_attention_layernorm", "mlp"),
    "qwen3": ("post_attention_layernorm", "mlp"),
    "qwen3_5": ("post_attention_layernorm", "mlp"),
    "gemma3": ("pre_feedforward_layernorm", "post_feedforward_layernorm"),
    "gemma4": ("pre_feedforward_layernorm", "post_feedforward_layernorm"),
    "lfm2": ("ffn_norm", "feed_forward"),
    "opt": ("final_layer_norm", "fc2"),
    "gpt2": ("ln_2", "mlp"),
    "mpt": ("norm_2", "ffn"),
    "mosaic-gpt": ("ln_2", "resid_mlp_dropout"),
}
SMALL = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}


def _random(config: PreTrainedConfig) -> PreTrainedModel:
    torch.manual_seed(0)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.15)
    return model


def _names(layer: nn.Module, place: Insertion) -> tuple[str, str]:
    names = {part: name for name, part in layer.named_children()}
    return names[place.entry], names[place.end]


@pytest.mark.parametrize("has_weights", [True, False], ids=["weights", "meta"])
@pytest.mark.parametrize("family", PLACES)
def test_the_place_is_found(family: str, has_weights: bool) -> None:
    with torch.device("cpu" if has_weights else "meta"):
        model = AutoModelForCausalLM.from_config(FAMILIES[family]())
    layers = list(Host.of(model).layers)
    found = insertion_points(model, layers)
    assert {_names(*pair) for pair in zip(layers, found, strict=True)} == {PLACES[family]}


def test_norms_behind_the_halves_are_no_obstacle() -> None:
    model = _random(Olmo2Config(**SMALL, intermediate_size=64))
    layers = list(Host.of(model).layers)
    found = insertion_points(model, layers)
    assert _names(layers[0], found[0]) == ("mlp", "post_feedforward_layernorm")


def test_every_tested_family_has_a_place_or_runs_its_halves_side_by_side() -> None:
    assert FAMILIES.keys() - PLACES.keys() == {"gpt_neox"}


REFUSED = {
    "none of its parts is given the sum": GPTNeoXConfig(**SMALL, intermediate_size=64),
    "the feed-forward is scaled": GraniteConfig(
        **SMALL, intermediate_size=64, residual_multiplier=0.3
    ),
    "norms stand behind the sums": OPTConfig(
        **SMALL, ffn_dim=64, word_embed_proj_dim=32, do_layer_norm_before=False
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_family_without_a_place_is_refused(reason: str) -> None:
    model = _random(REFUSED[reason])
    with pytest.raises(LanguageModelError, match=reason):
        insertion_points(model, list(Host.of(model).layers))


def test_a_flamingo_on_such_a_family_is_refused() -> None:
    with pytest.raises(LanguageModelError, match="GPTNeoXForCausalLM cannot carry vanilla"):
        tiny_flamingo("gpt_neox", xattn_kind="vanilla")


def test_finding_the_place_leaves_no_hook_and_no_mode_behind() -> None:
    model = tiny_lm("llama").train()
    insertion_points(model, list(Host.of(model).layers))
    assert all(module.training for module in model.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def _reference(layer: Any, block: Any, seeing: tuple[Any, ...]) -> Any:
    """The forward of a Llama layer with the cross-attention written into it."""

    def forward(self: Any, hidden_states: Tensor, **kwargs: Any) -> Tensor:
        attended, _ = self.self_attn(hidden_states=self.input_layernorm(hidden_states), **kwargs)
        total = hidden_states + attended
        total = total + block(total, None, None, *seeing)
        return total + self.mlp(self.post_attention_layernorm(total))

    layer.forward = MethodType(forward, layer)


@pytest.mark.parametrize("gating", ["tanh", "none"])
def test_the_hooks_do_what_a_layer_written_out_does(gating: str) -> None:
    model, given = tiny_flamingo(xattn_kind="vanilla", gating=gating), inputs()
    written = copy.deepcopy(model.language_model)
    with torch.no_grad():
        tokens = model.encode_visuals(given["pixel_values"])
        seeing = (Visibility.of(given["visual_index"], 2, 4), tokens)
        for index, block in enumerate(model.gated_xattn_dense):
            _reference(Host.of(written).layers[2 * index], block, seeing)
        expected = written(inputs_embeds=model.embed(given["input_ids"])).logits
        logits = model(**given).logits[..., : expected.shape[-1]]
    torch.testing.assert_close(logits, expected, rtol=0, atol=2e-5)
