"""What makes visual tokens is told apart, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from flamingo import FlamingoForConditionalGeneration, FlamingoImageProcessor
from flamingo.inference.eyes import eyes_sha256, store_of
from tests.tiny import SIZE, tiny_flamingo

Model = FlamingoForConditionalGeneration
EYES = FlamingoImageProcessor(SIZE)


def moved(parameter: torch.nn.Parameter) -> None:
    with torch.no_grad():
        parameter[(0,) * parameter.dim()] += 1e-3


def test_equal_models_have_equal_eyes_saved_and_loaded_too(tmp_path: Path) -> None:
    model = tiny_flamingo()
    assert eyes_sha256(model, EYES) == eyes_sha256(tiny_flamingo(), FlamingoImageProcessor(SIZE))
    model.save_pretrained(tmp_path, full=True)
    EYES.save_pretrained(tmp_path)
    loaded = Model.from_pretrained(tmp_path)
    again = FlamingoImageProcessor.from_pretrained(tmp_path)
    assert eyes_sha256(loaded, again) == eyes_sha256(model, EYES)


def test_the_language_model_is_no_part_of_the_eyes() -> None:
    model = tiny_flamingo()
    before = eyes_sha256(model, EYES)
    moved(model.host.embedding.weight)
    moved(next(model.gated_xattn_dense.parameters()))
    assert eyes_sha256(model, EYES) == before


OTHERS: dict[str, Callable[[], Model]] = {
    "another number format": lambda: tiny_flamingo(dtype=torch.bfloat16),
    # The same weights, used otherwise.
    "other heads": lambda: tiny_flamingo(resampler_heads=4, resampler_head_dim=4),
    "another activation": lambda: tiny_flamingo(activation="gelu"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_other_settings_are_other_eyes(what: str) -> None:
    assert eyes_sha256(OTHERS[what](), EYES) != eyes_sha256(tiny_flamingo(), EYES)


@pytest.mark.parametrize("part", ["vision_encoder", "resampler", "widen"])
def test_other_weights_are_other_eyes(part: str) -> None:
    model = tiny_flamingo()
    before = eyes_sha256(model, EYES)
    moved(next(getattr(model, part).parameters()))
    assert eyes_sha256(model, EYES) != before


@pytest.mark.parametrize(
    "other",
    [
        FlamingoImageProcessor(2 * SIZE),
        FlamingoImageProcessor(SIZE, image_std=[0.5, 0.5, 0.5]),
        FlamingoImageProcessor(SIZE, fit="squash"),
        FlamingoImageProcessor(SIZE, fit="crop"),
    ],
    ids=["another size", "other colors", "squashed", "cropped"],
)
def test_another_preparation_is_other_eyes(other: FlamingoImageProcessor) -> None:
    model = tiny_flamingo()
    assert eyes_sha256(model, other) != eyes_sha256(model, EYES)


def test_other_arithmetic_is_other_eyes() -> None:
    model = tiny_flamingo()
    before = eyes_sha256(model, EYES)
    model.vision_encoder.body.tower.set_attn_implementation("eager")
    eager = eyes_sha256(model, EYES)
    torch.set_float32_matmul_precision("high")
    try:
        assert len({before, eager, eyes_sha256(model, EYES)}) == 3
    finally:
        torch.set_float32_matmul_precision("highest")


def test_models_share_a_folder_and_not_their_tokens(tmp_path: Path) -> None:
    model, other = tiny_flamingo(), tiny_flamingo(dtype=torch.bfloat16)
    store_of(model, EYES, tmp_path).put("ab", torch.ones(4, 24))
    assert store_of(model, EYES, str(tmp_path)).get("ab") is not None
    assert store_of(other, EYES, tmp_path).get("ab") is None
