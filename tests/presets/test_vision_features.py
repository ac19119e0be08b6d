from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from flamingo.data.datasets import DatasetConfig, DatasetSource, build_dataset
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.presets import vision_features
from flamingo.presets.bridge import Assembled, BridgeShape, ModelSettings, assemble
from flamingo.presets.feature_manifest import check_features, read_manifest
from flamingo.presets.vision_features import FrozenEyes, write_features
from flamingo.training.objective import FlamingoObjective
from tests.presets.own_parts import (
    drawn,
    language_folder,
    pages_tar,
    pairs_tar,
    videos_tar,
    vision_folder,
)

SMALL = BridgeShape(num_latents=4, resampler_layers=1, resampler_heads=2, resampler_head_dim=8)
WRITERS = {"pairs": pairs_tar, "pages": pages_tar, "videos": videos_tar}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ModelSettings:
    folder = tmp_path_factory.mktemp("parts")
    vision, language = vision_folder(folder / "vision"), language_folder(folder / "language")
    return ModelSettings(vision=str(vision), language=str(language), bridge=SMALL, dtype="fp32")


@pytest.fixture(scope="module")
def made(settings: ModelSettings) -> Assembled:
    """A model with open gates, so that its loss depends on what it sees."""
    made = assemble(settings)
    with torch.no_grad():
        for name, parameter in made.model.named_parameters():
            if "alpha" in name:
                parameter.fill_(1.0)
    return made


def eyes_of(made: Assembled, **changes: str) -> FrozenEyes:
    stored = {"stored": "fp32", **changes}
    return FrozenEyes(made.model.vision_encoder, "tiny", **stored)


def source(config: DatasetConfig, made: Assembled) -> DatasetSource:
    encoder = made.processor.encoder()
    transform = made.processor.image_processor.transform
    return build_dataset("a", config, encoder, transform, pad_id=encoder.prepared.ids.pad)


def losses(config: DatasetConfig, made: Assembled, steps: int = 3) -> Tensor:
    objective, data = FlamingoObjective(), source(config, made)
    with torch.no_grad():
        drawn = [data.batch(step) for step in range(steps)]
        assert not any(one.skipped for one in drawn)
        return torch.stack([objective(made.model, one.batch, "a").loss for one in drawn])


@pytest.mark.parametrize("kind", WRITERS)
def test_features_give_the_loss_of_pictures(kind: str, made: Assembled, tmp_path: Path) -> None:
    path = WRITERS[kind](tmp_path / "a.tar")
    pictures = DatasetConfig(kind, str(path), batch=2, shuffle=False, num_frames=2)
    written = write_features(pictures, eyes_of(made), tmp_path / "f", frames_per_pass=5)
    assert written.skipped == ()
    features = replace(pictures, path=f"{tmp_path}/f/*.tar")
    assert source(features, made).batch(0).batch.pixel_values is None
    seen, read = losses(pictures, made), losses(features, made)
    torch.testing.assert_close(read, seen, rtol=0, atol=1e-6)
    blind = losses(features, _blinded(made))
    assert (blind - seen).abs().min() > 1e-4


def _blinded(made: Assembled) -> Assembled:
    """The same with its gates closed."""
    model = copy.deepcopy(made.model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "alpha_xattn" in name:
                parameter.zero_()
    return replace(made, model=model)


def test_features_in_16_bits_give_nearly_the_loss_of_pictures(
    made: Assembled, tmp_path: Path
) -> None:
    pictures = DatasetConfig("pairs", str(pairs_tar(tmp_path / "a.tar")), batch=2, shuffle=False)
    write_features(pictures, eyes_of(made, stored="bf16"), tmp_path / "f")
    features = replace(pictures, path=f"{tmp_path}/f/*.tar")
    assert source(features, made).batch(0).batch.visual_features.dtype == torch.bfloat16
    torch.testing.assert_close(losses(features, made), losses(pictures, made), rtol=0.01, atol=0.01)


def test_training_from_features_is_training_from_pictures(made: Assembled, tmp_path: Path) -> None:
    """Shuffled, with spaces drawn and windows cut, but pictures as they are."""
    path = pages_tar(tmp_path / "a.tar")
    pictures = DatasetConfig("pages", str(path), batch=2, flip=0.0, color_jitter=0.0, max_tokens=24)
    write_features(pictures, eyes_of(made), tmp_path / "f")
    gradients = []
    for config in (pictures, replace(pictures, path=f"{tmp_path}/f/*.tar")):
        model = copy.deepcopy(made.model).train()
        batch = source(config, made).batch(5).batch
        FlamingoObjective()(model, batch, "a").loss.backward()
        gradients.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-6)


def test_a_kill_loses_one_shard_at_most(
    made: Assembled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = DatasetConfig("pairs", str(pairs_tar(tmp_path / "a.tar", 7)))
    how = {"samples_per_shard": 2, "frames_per_pass": 1}
    write_features(pictures, eyes_of(made), tmp_path / "whole", **how)

    real, count = vision_features.features_to_bytes, 0

    def dies(features: object) -> bytes:
        nonlocal count
        count += 1
        if count == 6:
            raise KeyboardInterrupt
        return real(features)

    with monkeypatch.context() as patched:
        patched.setattr(vision_features, "features_to_bytes", dies)
        with pytest.raises(KeyboardInterrupt):
            write_features(pictures, eyes_of(made), tmp_path / "cut", **how)
    assert len(list((tmp_path / "cut").glob("*.tar"))) == 2
    again = write_features(pictures, eyes_of(made), tmp_path / "cut", **how)
    assert again.num_samples == 3
    assert write_features(pictures, eyes_of(made), tmp_path / "cut", **how).num_samples == 0
    whole, cut = (sorted((tmp_path / folder).glob("*.tar")) for folder in ("whole", "cut"))
    assert [path.read_bytes() for path in cut] == [path.read_bytes() for path in whole]
    assert len(whole) == 4


def test_what_cannot_be_used_is_named_and_not_named_twice(made: Assembled, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(4):
        content = drawn("red", number=number)
        (folder / f"{number}.png").write_bytes(content[:50] if number in (1, 3) else content)
        (folder / f"{number}.txt").write_text("a red square.")
    pictures = DatasetConfig("pairs", str(folder))
    written = write_features(pictures, eyes_of(made), tmp_path / "f", samples_per_shard=1)
    assert (written.num_samples, written.num_visuals) == (2, 2)
    assert [Path(one.sample).name for one in written.skipped] == ["1", "3"]
    write_features(pictures, eyes_of(made), tmp_path / "f", samples_per_shard=1)
    lines = (tmp_path / "f/skipped.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [1, 3]
    assert source(replace(pictures, path=f"{tmp_path}/f/*.tar"), made).num_samples == 2


def test_a_data_set_of_broken_samples_only_is_an_error(made: Assembled, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "a.txt").write_text("a cat")
    with pytest.raises(DataError, match=r"(?s)not one of the 1 samples.*read as: pairs"):
        write_features(DatasetConfig("pairs", str(tmp_path)), eyes_of(made), tmp_path / ".f")


def test_another_encoder_or_data_set_is_refused(made: Assembled, tmp_path: Path) -> None:
    pictures = DatasetConfig("pairs", str(pairs_tar(tmp_path / "a.tar")))
    write_features(pictures, eyes_of(made), tmp_path / "f")
    other = assemble_with_other_encoder(made, tmp_path)
    with pytest.raises(DataError, match=r"(?s)holds features of .*weights: .* there.*here"):
        write_features(pictures, eyes_of(other), tmp_path / "f")
    more = replace(pictures, path=str(pairs_tar(tmp_path / "b.tar", 9)))
    with pytest.raises(DataError, match=r"fingerprint: "):
        write_features(more, eyes_of(made), tmp_path / "f")
    with pytest.raises(DataError, match=r"stored: fp32 there, bf16 here"):
        write_features(pictures, eyes_of(made, stored="bf16"), tmp_path / "f")
    (tmp_path / "f/features.json").unlink()
    with pytest.raises(DataError, match="nothing that says what made them"):
        write_features(pictures, eyes_of(made), tmp_path / "f")


def assemble_with_other_encoder(made: Assembled, folder: Path) -> Assembled:
    model = copy.deepcopy(made.model)
    with torch.no_grad():
        next(model.vision_encoder.parameters()).mul_(1.5)
    return replace(made, model=model)


def test_a_model_refuses_features_of_another_encoder(
    made: Assembled, settings: ModelSettings, tmp_path: Path
) -> None:
    pictures = DatasetConfig("pairs", str(pairs_tar(tmp_path / "a.tar")))
    write_features(pictures, eyes_of(made), tmp_path / "f")
    features = replace(pictures, path=f"{tmp_path}/f/*.tar")
    check_features("data.a", features, made.model)
    check_features("data.a", pictures, made.model)
    # In 16 bits it is still the same encoder.
    check_features("data.a", features, assemble(replace(settings, dtype="bf16")).model)
    other = assemble_with_other_encoder(made, tmp_path).model
    with pytest.raises(ConfigError, match=r"(?s)data\.a has features of another vision encoder"):
        check_features("data.a", features, other)
    larger = assemble(replace(settings, image_size=64)).model
    with pytest.raises(ConfigError, match=r"image_size: 32 there, 64 here"):
        check_features("data.a", features, larger)
    learning = assemble(replace(settings, freeze_vision_encoder=False)).model
    with pytest.raises(ConfigError, match=r"an encoder that learns must see pictures"):
        check_features("data.a", features, learning)


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "features.json").write_text("{}")
    with pytest.raises(DataError, match="is not what `flamingo features` writes"):
        read_manifest(str(tmp_path))


@pytest.mark.slow
def test_workers_change_nothing(made: Assembled, tmp_path: Path) -> None:
    pictures = DatasetConfig("pairs", str(pairs_tar(tmp_path / "a.tar")))
    for workers in (0, 2):
        write_features(pictures, eyes_of(made), tmp_path / str(workers), num_workers=workers)
    alone, together = (next((tmp_path / w).glob("*.tar")).read_bytes() for w in ("0", "2"))
    assert alone == together
