from __future__ import annotations

import json

import torch

from flamingo.model.checkpoints.vision import load_vision_encoder
from flamingo.presets.training import recipe_named


def test_a_short_run_leaves_an_encoder_that_loads_again(tmp_path):
    recipe = recipe_named("miniature-vision").with_overrides(
        [
            "training.steps=2",
            "training.warmup_steps=0",
            "data.batch_size=8",
            "towers.depths=[1, 1]",
            "towers.channels=[16, 24]",
            "towers.stem_channels=16",
            "towers.text_layers=1",
            "probe.every=2",
            "probe.num_train=60",
            "probe.num_test=20",
        ]
    )
    trainer = recipe.trainer(tmp_path)
    assert trainer.fit()

    encoder = load_vision_encoder(tmp_path / "model")
    trained = trainer.model.vision_encoder
    pixels = torch.randn(1, 3, 64, 64)
    assert torch.equal(encoder.eval()(pixels), trained.eval()(pixels))
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert any("probe_shape_held_out" in json.dumps(line) for line in log)
