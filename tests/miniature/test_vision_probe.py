from __future__ import annotations

import torch
from torch import nn

from flamingo.miniature.vision_probe import ATTRIBUTES, probe, probe_signs
from flamingo.model.vision_encoder import VisionEncoder


class Pixels(nn.Module):
    """Hands pixels through, averaged to an 8 x 8 grid: knows colors, hardly anything else."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return nn.functional.avg_pool2d(pixels, 8).flatten(2).transpose(1, 2)


def test_a_probe_reads_what_is_there_and_leaves_the_encoder_as_it_was():
    encoder = VisionEncoder(Pixels(), width=3, image_size=64, mean=[0.5] * 3, std=[0.25] * 3)
    report = probe(encoder, num_train=300, num_test=100)
    assert encoder.training
    assert report.train_pairs.keys() == report.held_out_pairs.keys() == ATTRIBUTES.keys()
    assert report.held_out_pairs["background"] > 0.8
    assert report.train_pairs["texture"] < 0.6
    assert "held-out pairs" in str(report)


def test_signs_are_not_read_off_a_grid_of_colors():
    encoder = VisionEncoder(Pixels(), width=3, image_size=64, mean=[0.5] * 3, std=[0.25] * 3)
    report = probe_signs(encoder, num_train=300, num_test=100)
    assert report.keys() == {"first_syllable", "last_syllable"}
    assert max(report.values()) < 0.4
