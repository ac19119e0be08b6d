from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from flamingo.data.processor import FlamingoProcessor
from flamingo.foundation.errors import CheckpointError, ConfigError
from flamingo.model.build import SETTINGS
from flamingo.model.freezing import trained_names
from flamingo.presets.bridge import BridgeShape, ModelSettings, assemble, vision_encoder_of
from flamingo.presets.flamingo_training import exporter
from tests.presets.own_parts import language_folder, vision_folder

SMALL = BridgeShape(num_latents=4, resampler_layers=1, resampler_heads=2, resampler_head_dim=8)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> ModelSettings:
    folder = tmp_path_factory.mktemp("parts")
    vision, language = vision_folder(folder / "vision"), language_folder(folder / "language")
    return ModelSettings(vision=str(vision), language=str(language), bridge=SMALL)


@pytest.fixture(scope="module")
def flamingo(parts: ModelSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a run has left."""
    folder = tmp_path_factory.mktemp("flamingo")
    made = assemble(parts)
    with torch.no_grad():
        for name, parameter in made.model.named_parameters():
            if "alpha" in name:
                parameter.fill_(0.5)
    exporter(made.model, made.processor, parts)(folder)
    return folder


def test_a_bridge_has_every_setting_that_a_flamingo_has() -> None:
    fields = {field.name for field in dataclasses.fields(BridgeShape)}
    assert fields == SETTINGS - {"freeze_language_model", "freeze_vision_encoder"}


def test_frozen_parts_are_stored_in_16_bits_and_new_ones_in_32(parts: ModelSettings) -> None:
    model = assemble(parts).model
    formats = {p.requires_grad: set[torch.dtype]() for p in model.parameters()}
    for parameter in model.parameters():
        formats[parameter.requires_grad].add(parameter.dtype)
    assert formats == {True: {torch.float32}, False: {torch.bfloat16}}
    assert {name.partition(".")[0] for name in trained_names(model)} == {
        "resampler",
        "widen",
        "gated_xattn_dense",
        "new_tokens",
    }
    assert {p.dtype for p in assemble(replace(parts, dtype="fp32")).model.parameters()} == {
        torch.float32
    }


def test_the_processor_makes_what_the_encoder_takes(parts: ModelSettings) -> None:
    made = assemble(replace(parts, image_size=64))
    transform = made.processor.image_processor.transform
    assert transform.size == made.model.vision_encoder.image_size == 64
    assert transform.mean == made.model.vision_encoder.mean


def test_new_tokens_lie_in_the_padding_of_the_table(parts: ModelSettings) -> None:
    made = assemble(parts)
    ids = made.processor.encoder().prepared.ids
    assert made.model.new_tokens.ids == (ids.image[0], ids.eoc)
    assert max(made.model.new_tokens.ids) < made.model.host.embedding.weight.shape[0]


@pytest.mark.parametrize("vision", ["clip", "siglip", "nfnet"])
def test_encoders_of_every_family_are_bridged(
    vision: str, parts: ModelSettings, tmp_path: Path
) -> None:
    settings = replace(parts, vision=str(vision_folder(tmp_path, vision)), dtype="fp32")
    model = assemble(settings).model
    pixels = torch.randn(1, 1, 1, 3, 32, 32)
    with torch.no_grad():
        assert model.encode_visuals(pixels).shape == (1, 1, 4, 32)
    assert torch.equal(
        next(vision_encoder_of(settings).parameters()), next(model.vision_encoder.parameters())
    )


def test_going_on_takes_the_flamingo_as_it_is(flamingo: Path) -> None:
    made = assemble(ModelSettings(start_from=str(flamingo), bridge=None, dtype="fp32"))
    assert made.model.config.num_latents == 4
    gates = [value for name, value in made.model.named_parameters() if "alpha" in name]
    assert all(gate == 0.5 for gate in gates)
    assert isinstance(made.processor, FlamingoProcessor)


def test_fine_tuning_frees_the_encoder_at_a_higher_resolution(flamingo: Path) -> None:
    start = ModelSettings(start_from=str(flamingo), bridge=None)
    before = assemble(start).model
    made = assemble(replace(start, image_size=64, freeze_vision_encoder=False))
    model = made.model
    assert model.vision_encoder.image_size == model.config.vision_config.image_size == 64
    assert made.processor.image_processor.transform.size == 64
    learned = trained_names(model) - trained_names(before)
    assert {name.partition(".")[0] for name in learned} == {"vision_encoder"}
    assert not any(p.requires_grad for p in model.language_model.parameters())
    with torch.no_grad():
        tokens = model.float().encode_visuals(torch.randn(1, 1, 1, 3, 64, 64))
    assert tokens.shape == (1, 1, 4, 32)


@pytest.mark.parametrize("export", ["full", "trained"])
def test_a_resized_flamingo_is_exported_and_gone_on_from(
    export: str, flamingo: Path, parts: ModelSettings, tmp_path: Path
) -> None:
    start = replace(parts, image_size=64, freeze_vision_encoder=False, export=export)
    made = assemble(start)
    exporter(made.model, made.processor, start)(tmp_path)
    again = assemble(ModelSettings(start_from=str(tmp_path), bridge=None, dtype="fp32"))
    assert again.processor.image_processor.transform.size == 64
    for name, value in made.model.vision_encoder.state_dict().items():
        there = again.model.vision_encoder.state_dict()[name]
        torch.testing.assert_close(there, value.float(), rtol=0.01, atol=1e-3)


def test_an_export_leaves_the_run_its_32_bits(parts: ModelSettings, tmp_path: Path) -> None:
    made = assemble(parts)
    before = {name: value.clone() for name, value in made.model.state_dict().items()}
    exporter(made.model, made.processor, parts)(tmp_path)
    for name, value in made.model.state_dict().items():
        assert value.dtype == before[name].dtype, name
        assert torch.equal(value, before[name]), name


def test_random_parts_have_a_presets_shape() -> None:
    settings = ModelSettings(vision="random", language="random", shape="flamingo-3b")
    with torch.device("meta"):
        model = assemble(settings).model
    assert (len(model.host.layers), model.host.dim) == (24, 2048)
    assert model.vision_encoder.image_size == 320


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"vision": None}, ConfigError, r"model\.vision is not given.*model\.vision=FOLDER"),
        ({"language": None}, ConfigError, r"model\.language is not given.*its tokenizer"),
        ({"vision": "nowhere"}, CheckpointError, r"model\.vision=nowhere is neither a folder"),
        ({"language": "./no/where"}, CheckpointError, r"model\.language=\./no/where is neither"),
        ({"vision": "random"}, ConfigError, r"model\.vision=random needs a shape"),
        (
            {"vision": "random", "shape": "flamingo-3"},
            ConfigError,
            r"no model preset called 'flamingo-3'.*flamingo-3b",
        ),
        ({"image_size": 60}, ConfigError, r"image_size is 60"),
        ({"bridge": None}, ConfigError, r"model\.bridge is null"),
        ({"start_from": "miniature"}, ConfigError, r"brings its own vision part.*vision=null"),
    ],
)
def test_what_does_not_fit_is_named(
    changes: dict[str, object], error: type[Exception], message: str, parts: ModelSettings
) -> None:
    with pytest.raises(error, match=f"(?s:{message})"):
        assemble(replace(parts, **changes))


def test_a_folder_that_is_no_model_is_named(parts: ModelSettings, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(CheckpointError, match=r"without config\.json.*notes\.txt"):
        assemble(replace(parts, vision=str(tmp_path)))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"model\.language=.* cannot be loaded"):
        assemble(replace(parts, language=str(tmp_path)))
    with pytest.raises(CheckpointError, match=r"model\.vision=.* cannot be loaded"):
        assemble(replace(parts, vision=str(tmp_path)))


def test_another_bridge_than_the_flamingos_is_refused(flamingo: Path) -> None:
    with pytest.raises(ConfigError, match=r"(?s)num_latents is 4, not 64.*model\.bridge=null"):
        assemble(ModelSettings(start_from=str(flamingo)))
    assemble(ModelSettings(start_from=str(flamingo), bridge=SMALL))


def test_a_start_that_is_not_there_is_named() -> None:
    with pytest.raises(CheckpointError, match="There is no model 'runs/nothing/model'"):
        assemble(ModelSettings(start_from="runs/nothing/model", bridge=None))
