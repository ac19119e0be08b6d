"""A Flamingo around a language model in 8-bit integers."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from flamingo.foundation.errors import CheckpointError, ConfigError, LanguageModelError
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.int8_linear import Int8Linear
from flamingo.model.quantization import quantize_language_model
from tests.families import FAMILIES, tiny_lm
from tests.tiny import inputs, tiny_encoder, tiny_flamingo

QUANTIZED = [family for family in FAMILIES if family != "gpt2"]


def quantized(
    family: str = "llama", dtype: torch.dtype = torch.float32
) -> FlamingoForConditionalGeneration:
    model = tiny_flamingo(family, dtype)
    quantize_language_model(model)
    return model


def log_probabilities(model: FlamingoForConditionalGeneration, **given: Tensor) -> Tensor:
    given = {**inputs(), **given}
    given["pixel_values"] = given["pixel_values"].to(model.dtype)
    with torch.no_grad():
        return model(**given).logits.log_softmax(-1, dtype=torch.float32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", QUANTIZED)
def test_log_probabilities_are_close(family: str, dtype: torch.dtype) -> None:
    """Within 0.1 on average; these random models are far more sensitive than trained ones."""
    right = log_probabilities(tiny_flamingo(family))
    found = log_probabilities(quantized(family, dtype))
    difference = float((found - right).abs().mean())
    assert 0 < difference < 0.1


@pytest.mark.parametrize("num_beams", [1, 3])
@pytest.mark.parametrize("family", ["llama", "gpt_neox", "mpt"])
def test_generation_goes_on_as_one_pass_says(family: str, num_beams: int) -> None:
    """One token at a time, and all at once: two ways through each layer that must agree."""
    model, given = quantized(family, torch.bfloat16), inputs(batch=2)
    given["pixel_values"] = given["pixel_values"].bfloat16()
    output = model.generate(
        **given,
        num_beams=num_beams,
        min_new_tokens=4,
        max_new_tokens=4,
        do_sample=False,
        return_dict_in_generate=True,
        output_logits=True,
    )
    assert output.sequences.shape == (2, given["input_ids"].shape[1] + 4)
    if num_beams > 1:
        return
    index = given["visual_index"]
    whole = log_probabilities(
        model,
        input_ids=output.sequences,
        attention_mask=torch.ones_like(output.sequences),
        visual_index=torch.cat([index, index[:, -1:].expand(-1, 4)], dim=1),
    )
    steps = torch.stack(output.logits, dim=1).log_softmax(-1, dtype=torch.float32)
    assert float((steps - whole[:, -5:-1]).abs().mean()) < 0.1


@pytest.mark.parametrize("family", ["llama", "gpt_neox", "mpt"])
def test_padding_on_the_left_changes_nothing(family: str) -> None:
    model, given = quantized(family), inputs(batch=1)
    padded = {
        name: torch.cat([torch.zeros(1, 3, dtype=torch.long), given[name]], dim=1)
        for name in ("input_ids", "attention_mask", "visual_index")
    }
    plain = log_probabilities(model, **given)
    shifted = log_probabilities(model, **padded, pixel_values=given["pixel_values"])
    torch.testing.assert_close(shifted[:, 3:], plain, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("family", ["llama", "qwen3"])
def test_all_but_the_decoder_layers_is_untouched(family: str) -> None:
    plain, model = tiny_flamingo(family), quantized(family)
    inside = {id(module) for module in model.host.layers.modules()}
    for name, module in model.named_modules():
        assert isinstance(module, Int8Linear) == (
            id(module) in inside and isinstance(module, nn.Linear)
        ), name
    before, after = dict(plain.named_parameters()), dict(model.named_parameters())
    lost = before.keys() - after.keys()
    assert lost
    assert all(name.startswith("language_model.model.layers.") for name in lost)
    for name, value in after.items():
        assert torch.equal(value, before[name]), name


def test_tied_embeddings_stay_tied() -> None:
    model = quantized("qwen3")
    assert model.host.head.weight is model.host.embedding.weight
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_it_takes_a_quarter_of_the_memory() -> None:
    def size(model: FlamingoForConditionalGeneration) -> int:
        tensors = [*model.host.layers.parameters(), *model.host.layers.buffers()]
        return sum(one.numel() * one.element_size() for one in tensors)

    assert size(quantized()) < 0.35 * size(tiny_flamingo())


def test_layers_inside_of_decoder_layers_stay_where_they_hang() -> None:
    """OPT's last linear layer carries the hook of a vanilla cross-attention."""
    model = tiny_flamingo("opt", xattn_kind="vanilla")
    before = log_probabilities(model)
    quantize_language_model(model)
    assert float((log_probabilities(model) - before).abs().mean()) < 0.1
    other = log_probabilities(model, pixel_values=inputs(seed=1)["pixel_values"])
    assert float((other - log_probabilities(model)).abs().max()) > 0.01


def test_a_copy_answers_alike() -> None:
    model = quantized()
    torch.testing.assert_close(
        log_probabilities(copy.deepcopy(model)), log_probabilities(model), rtol=0, atol=0
    )


def test_gates_can_still_be_trained() -> None:
    model, given = quantized().train(), inputs()
    model(**given, labels=given["input_ids"]).loss.backward()
    missing = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not missing


@pytest.mark.filterwarnings("ignore:The checkpoint will hold trained parts only:UserWarning")
def test_the_trained_parts_can_be_saved(tmp_path: Path) -> None:
    model = quantized()
    model.save_pretrained(tmp_path)
    loaded = FlamingoForConditionalGeneration.from_pretrained(
        tmp_path, language_model=tiny_lm("llama"), vision_encoder=tiny_encoder()
    )
    trained = [name for name, p in model.named_parameters() if p.requires_grad]
    for name in trained:
        assert torch.equal(loaded.get_parameter(name), model.get_parameter(name)), name


def test_a_whole_checkpoint_in_integers_is_refused(tmp_path: Path) -> None:
    model = quantized()
    with pytest.raises(CheckpointError):
        _save_and_load(model, tmp_path)


def _save_and_load(model: FlamingoForConditionalGeneration, folder: Path) -> None:
    model.save_pretrained(folder, full=True)
    FlamingoForConditionalGeneration.from_pretrained(folder)


def test_a_model_in_training_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"training mode.*\n?.*model\.eval"):
        quantize_language_model(tiny_flamingo().train())


def test_a_language_model_that_is_trained_is_refused() -> None:
    model = tiny_flamingo(freeze_language_model=False)
    with pytest.raises(ConfigError, match=r"not frozen(.|\n)*requires_grad_\(False\)"):
        quantize_language_model(model)
    model.language_model.requires_grad_(False)
    quantize_language_model(model)


def test_a_language_model_without_linear_layers_is_refused() -> None:
    model = tiny_flamingo("gpt2")
    before = model.state_dict().keys()
    with pytest.raises(LanguageModelError, match=r"0% of(.|\n)*GPT2LMHeadModel(.|\n)*Conv1D 99%"):
        quantize_language_model(model)
    assert model.state_dict().keys() == before


def test_integers_are_not_made_twice() -> None:
    model = quantized()
    with pytest.raises(ConfigError, match="in int8 already"):
        quantize_language_model(model)


def test_weights_of_another_quantization_are_refused() -> None:
    model = tiny_flamingo()
    layer = model.host.layers[1].mlp.up_proj
    layer.weight = nn.Parameter(layer.weight.to(torch.float8_e4m3fn), requires_grad=False)
    with pytest.raises(ConfigError, match="float8_e4m3fn"):
        quantize_language_model(model)
    assert type(model.host.layers[0].mlp.up_proj) is nn.Linear
