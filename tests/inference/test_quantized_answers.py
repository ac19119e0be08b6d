"""A model in 8-bit integers answers and scores as the one that it was."""

from __future__ import annotations

import numpy as np
import pytest

from flamingo import Request
from flamingo.model.quantization import quantize_language_model
from tests.tiny_predictor import tiny_predictor

CHOICES = ["red circle", "blue star", "dax"]


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (20, 30, 3), dtype=np.uint8)


SUPPORTS = [(picture(1), "red circle"), (picture(2), "blue star")]


def test_candidates_score_nearly_alike() -> None:
    plain, quantized = tiny_predictor(), tiny_predictor()
    quantize_language_model(quantized.model)
    request = {"supports": SUPPORTS, "choices": CHOICES}
    before = dict(plain.answer(picture(3), **request).choices)
    after = dict(quantized.answer(picture(3), **request).choices)
    for choice in CHOICES:
        assert after[choice] == pytest.approx(before[choice], rel=0.02)
        assert after[choice] != before[choice]


@pytest.mark.parametrize("num_beams", [1, 3])
def test_a_batch_of_prompts_of_different_lengths_is_answered(num_beams: int) -> None:
    predictor = tiny_predictor()
    quantize_language_model(predictor.model)
    requests = [
        Request.of(picture(3), supports=SUPPORTS),
        Request.of(picture(4), supports=SUPPORTS[:1]),
    ]
    how = {"num_beams": num_beams, "max_new_tokens": 4}
    together = predictor.answer_all(requests, **how)
    alone = [predictor.answer_all([request], **how)[0] for request in requests]
    for one, other in zip(together, alone, strict=True):
        assert one.text == other.text
        assert one.score == pytest.approx(other.score, rel=1e-3)
