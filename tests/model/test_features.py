"""Features computed before give what pictures give, and only where that is right."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from flamingo.foundation.errors import SequenceError
from tests.tiny import inputs, tiny_flamingo


def precomputed(model: torch.nn.Module, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same inputs, with each frame's features computed alone, instead of its pixels."""
    pixels = given["pixel_values"]
    with torch.no_grad():
        features = [model.vision_encoder(frame[None])[0] for frame in pixels.flatten(0, 2)]
    others = {name: value for name, value in given.items() if name != "pixel_values"}
    return {**others, "visual_features": torch.stack(features).unflatten(0, pixels.shape[:3])}


def with_frames(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """Inputs with three frames per visual, of which some are padding."""
    mask = torch.tensor([[[1, 0, 0], [1, 1, 1]], [[1, 1, 0], [0, 0, 0]]], dtype=torch.bool)
    index = given["visual_index"].clone()
    index[1] = index[1].clamp_max(1)
    return {**given, "frame_mask": mask, "visual_index": index}


def test_features_give_the_logits_of_pictures() -> None:
    model = tiny_flamingo()
    given = with_frames(inputs(num_frames=3))
    with torch.no_grad():
        seen = model(**given).logits
        read = model(**precomputed(model, given)).logits
    torch.testing.assert_close(read, seen, rtol=0, atol=1e-5)
    assert (read - model(**inputs(num_frames=3, seed=1)).logits).abs().max() > 1e-3


def test_features_teach_the_bridge_what_pictures_teach() -> None:
    gradients = []
    for prepare in (lambda model, given: given, precomputed):
        model = tiny_flamingo().train()
        given = prepare(model, with_frames(inputs(num_frames=3)))
        model(**given, labels=given["input_ids"].clamp_max(49)).loss.backward()
        gradients.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-5)


def test_features_in_16_bits_are_read_by_a_bridge_in_32() -> None:
    model, given = tiny_flamingo(), inputs()
    features = precomputed(model, given)
    features["visual_features"] = features["visual_features"].bfloat16()
    with torch.no_grad():
        torch.testing.assert_close(
            model(**features).logits, model(**given).logits, rtol=0, atol=0.1
        )


def test_pictures_beside_features_are_refused() -> None:
    model, given = tiny_flamingo(), inputs()
    both = {**given, **precomputed(model, given)}
    with pytest.raises(SequenceError, match="either pixel_values or visual_features"):
        model(**both)


def test_features_of_another_width_are_refused() -> None:
    model, given = tiny_flamingo(), precomputed(tiny_flamingo(), inputs())
    given["visual_features"] = given["visual_features"][..., :20]
    with pytest.raises(SequenceError, match=r"20 wide, but this model's vision encoder makes 24"):
        model(**given)


def test_an_encoder_that_learns_cannot_learn_from_features() -> None:
    model = tiny_flamingo(freeze_vision_encoder=False)
    given = precomputed(model, inputs())
    with torch.no_grad():
        model(**given)
    with pytest.raises(SequenceError, match="Train from pictures, or freeze it"):
        model.train()(**given)


def test_many_pictures_go_through_the_encoder_a_few_at_a_time() -> None:
    model, given = tiny_flamingo(), inputs(batch=2, num_visuals=3, num_frames=6)
    sizes: list[int] = []
    model.vision_encoder.register_forward_hook(lambda m, a, out: sizes.append(len(out)))
    with torch.no_grad():
        together = model.encode_visuals(given["pixel_values"])
        alone = [
            model.encode_visuals(row[None, None]) for row in given["pixel_values"].flatten(0, 1)
        ]
    assert max(sizes) == 16
    assert sum(sizes) == 2 * 36
    assert torch.allclose(together.flatten(0, 1), torch.cat(alone)[:, 0], atol=1e-6)
