"""A visual that stands in many prompts is encoded once, and is what it would be alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from flamingo import Visual
from tests.evaluation.toy_task import ToyTask
from tests.tiny_predictor import tiny_predictor


def visual(value: int, num_frames: int = 1) -> Visual:
    return Visual(np.full((num_frames, 16, 16, 3), value, np.uint8))


def test_equal_pixels_are_encoded_once() -> None:
    predictor = tiny_predictor()
    memory, encoded = predictor.visual_memory(), []
    predictor.model.vision_encoder.register_forward_hook(lambda m, a, out: encoded.append(len(out)))
    memory.see([visual(1), visual(2), visual(1)])
    memory.rows([[visual(2)], [visual(1), visual(3, num_frames=2)]])
    memory.see([visual(3, num_frames=2)])
    assert sum(encoded) == 4
    assert len(memory) == 3


def test_tokens_are_those_of_each_visual_alone() -> None:
    predictor = tiny_predictor()
    memory = predictor.visual_memory()
    memory.frames_at_once = 3
    seen = [visual(10), visual(20, num_frames=4), visual(30), visual(40)]
    rows = memory.rows([seen, seen[:1]])
    assert rows is not None
    assert rows.shape[:2] == (2, 4)
    for number, one in enumerate(seen):
        pixels = memory.transform(one)[None, None]
        with torch.no_grad():
            alone = predictor.model.encode_visuals(pixels)[0, 0]
        assert torch.allclose(rows[0, number], alone, atol=1e-5)
    assert not rows[1, 1:].any()


def test_without_visuals_there_are_no_tokens() -> None:
    assert tiny_predictor().visual_memory().rows([[], []]) is None


@pytest.mark.parametrize("num_frames", [1, 2])
def test_a_batch_with_a_memory_answers_as_each_prompt_alone(num_frames: int) -> None:
    predictor, task = tiny_predictor(), ToyTask(num_frames=num_frames)
    # Ragged: other numbers of shots, of candidates and, through both, of tokens and visuals.
    episodes = [task.build(0, index, shots) for index, shots in enumerate((2, 0, 5, 1))]
    prompts = [task.prompt(episode) for episode in episodes]
    choices = [episode.candidates for episode in episodes]
    many = predictor.choose_all(prompts, choices, memory=predictor.visual_memory())
    for prompt, own, answer in zip(prompts, choices, many, strict=True):
        alone = predictor.choose(prompt, own)
        assert answer.text == alone.text
        assert dict(answer.choices) == pytest.approx(dict(alone.choices), abs=1e-5)


def test_open_answers_with_a_memory_are_the_same() -> None:
    predictor, task = tiny_predictor(), ToyTask(is_open=True)
    prompts = [task.prompt(task.build(0, index, shots)) for index, shots in enumerate((2, 0, 3))]
    plain = predictor.complete(prompts, max_new_tokens=4)
    remembered = predictor.complete(prompts, max_new_tokens=4, memory=predictor.visual_memory())
    assert [one.text for one in remembered] == [one.text for one in plain]
    assert [one.score for one in remembered] == pytest.approx(
        [one.score for one in plain], abs=1e-4
    )
