from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from flamingo.foundation.errors import ConfigError
from flamingo.model.contrastive import ContrastiveModel, build_text_tower, contrastive_loss
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import build_vision_encoder


def tiny_model(dim: int = 8) -> ContrastiveModel:
    torch.manual_seed(0)
    config = NFNetConfig(variant="custom", depths=[1], channels=[16], image_size=16)
    text = build_text_tower(vocab_size=11, dim=16, num_layers=1, num_heads=2, max_tokens=6)
    return ContrastiveModel(build_vision_encoder(config), text, dim=dim).eval()


def test_both_towers_end_at_distance_one():
    model = tiny_model()
    pixels, ids = torch.randn(3, 3, 16, 16), torch.randint(1, 11, (3, 5))
    visuals, texts = model.embed_pixels(pixels), model.embed_text(ids, torch.ones_like(ids))
    assert visuals.shape == texts.shape == (3, 8)
    for rows in (visuals, texts):
        assert torch.allclose(rows.norm(dim=-1), torch.ones(3))


def test_logits_are_similarities_times_the_inverse_temperature():
    model = tiny_model()
    pixels, ids = torch.randn(3, 3, 16, 16), torch.randint(1, 11, (3, 5))
    mask = torch.ones_like(ids)
    logits = model(pixels, ids, mask).logits()
    cosine = model.embed_pixels(pixels) @ model.embed_text(ids, mask).T
    assert torch.allclose(logits, cosine / 0.07, rtol=1e-4)


def test_padding_does_not_change_a_caption():
    model = tiny_model()
    ids = torch.tensor([[4, 5, 6]])
    padded, mask = F.pad(ids, (0, 2)), torch.tensor([[1, 1, 1, 0, 0]])
    assert torch.allclose(
        model.embed_text(ids, torch.ones_like(ids)), model.embed_text(padded, mask), atol=1e-5
    )


def loss_of(logits: torch.Tensor, **settings: float) -> torch.Tensor:
    return contrastive_loss(logits, logits.T, **settings)


def test_the_loss_is_that_of_a_guess_where_all_pairs_look_alike():
    assert loss_of(torch.zeros(4, 4)).item() == pytest.approx(2 * math.log(4))


def test_the_loss_treats_pictures_and_captions_alike():
    logits = torch.randn(5, 5)
    assert torch.allclose(loss_of(logits), loss_of(logits.T))


def test_the_loss_counts_both_directions():
    # Each picture finds its caption, but the second caption fits the first picture as well.
    logits = torch.tensor([[50.0, 50.0], [-50.0, 50.0]])
    forward = F.cross_entropy(logits, torch.arange(2))
    backward = F.cross_entropy(logits.T, torch.arange(2))
    assert torch.allclose(loss_of(logits, label_smoothing=0.0), forward + backward)


def test_losses_of_parts_of_the_rows_make_up_that_of_all():
    logits = torch.randn(5, 5)
    parts = [
        contrastive_loss(logits[rows], logits.T[rows], first=rows.start) * len(logits[rows])
        for rows in (slice(0, 2), slice(2, 5))
    ]
    assert torch.allclose(sum(parts) / 5, loss_of(logits))


def test_smoothing_keeps_the_loss_of_perfect_pairs_above_zero():
    logits = torch.eye(4) * 50
    assert loss_of(logits, label_smoothing=0.0) < 1e-6
    assert loss_of(logits) > 1.0


def test_a_few_steps_tell_four_pairs_apart():
    model = tiny_model()
    pixels = torch.randn(4, 3, 16, 16)
    ids = torch.arange(1, 5).unsqueeze(1)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(30):
        loss = loss_of(model(pixels, ids, torch.ones_like(ids)).logits())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = model(pixels, ids, torch.ones_like(ids)).logits()
    assert torch.equal(found.argmax(1), torch.arange(4))
    assert torch.equal(found.argmax(0), torch.arange(4))


def test_impossible_settings_are_named():
    with pytest.raises(ConfigError, match="dim is 0"):
        tiny_model(dim=0)
