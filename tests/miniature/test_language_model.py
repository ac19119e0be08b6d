from __future__ import annotations

import torch

from flamingo.miniature.language_data import LanguageSource, TextStage
from flamingo.miniature.language_model import LanguageModelShape, build_language_model
from flamingo.miniature.tokenizer import build_tokenizer


def test_it_fits_the_miniature() -> None:
    model = build_language_model(LanguageModelShape(), build_tokenizer())
    num_parameters = sum(parameter.numel() for parameter in model.parameters())
    assert 2_000_000 < num_parameters < 4_500_000
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight


def test_it_learns_from_its_source() -> None:
    torch.manual_seed(0)
    tokenizer = build_tokenizer()
    shape = LanguageModelShape(num_layers=2, dim=32, feed_forward_dim=64, num_heads=2)
    model = build_language_model(shape, tokenizer)
    source = LanguageSource(0, tokenizer, 256, stages=(TextStage(1, 32, plain=1.0),))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for step in range(12):
        ids = source.batch(step)["input_ids"]
        loss = model(input_ids=ids, labels=ids, use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 1.0
