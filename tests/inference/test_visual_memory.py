"""A visual that stands in many prompts is encoded once, and is what it would be alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from flamingo import Predictor, Visual
from flamingo.inference.eyes import store_of
from flamingo.inference.visual_memory import VisualMemory
from tests.evaluation.toy_task import ToyTask
from tests.tiny_predictor import tiny_predictor


def visual(value: int, num_frames: int = 1) -> Visual:
    return Visual(np.full((num_frames, 16, 16, 3), value, np.uint8))


def memory_of(
    predictor: Predictor,
    folder: Path | None = None,
    *,
    room: int | None = None,
    known: VisualMemory | None = None,
) -> VisualMemory:
    """A memory with a store in the folder, and room for that many visuals."""
    eyes, model = predictor.processor.image_processor, predictor.model
    store = None if folder is None else store_of(model, eyes, folder)
    # 4 latents as wide as the language model, in float32.
    most_bytes = None if room is None else room * 4 * 32 * 4
    return VisualMemory(model, eyes.transform, known=known, store=store, most_bytes=most_bytes)


def rows_of(memory: VisualMemory, *values: int) -> Tensor:
    tokens = memory.rows([[visual(value) for value in values]])
    assert tokens is not None
    return tokens[0]


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


def test_a_later_memory_encodes_nothing_that_is_on_disk(tmp_path: Path) -> None:
    shown = [[visual(1), visual(2)], [visual(3, num_frames=3), visual(1)]]
    first = memory_of(tiny_predictor(), tmp_path)
    expected = first.rows(shown)
    assert expected is not None
    assert (first.num_encoded, first.num_found) == (3, 0)
    # Another model of the same weights, as in a later process.
    later = memory_of(tiny_predictor(), tmp_path)
    found = later.rows(shown)
    assert found is not None
    assert torch.equal(found, expected)
    later.see([visual(2), visual(3, num_frames=3)])
    assert (later.num_encoded, later.num_found) == (0, 3)


def test_what_is_new_is_encoded_and_kept_beside_what_is_on_disk(tmp_path: Path) -> None:
    predictor = tiny_predictor()
    memory_of(predictor, tmp_path).see([visual(2)])
    memory = memory_of(predictor, tmp_path)
    rows_of(memory, 1, 2, 3, 1)
    assert (memory.num_encoded, memory.num_found) == (2, 1)
    again = memory_of(predictor, tmp_path)
    assert torch.equal(rows_of(again, 1, 2, 3), rows_of(memory, 1, 2, 3))
    assert (again.num_encoded, again.num_found) == (0, 3)


def test_a_damaged_file_is_encoded_again_and_healed(tmp_path: Path) -> None:
    predictor = tiny_predictor()
    expected = rows_of(memory_of(predictor, tmp_path), 1)
    (path,) = tmp_path.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    memory = memory_of(predictor, tmp_path)
    with pytest.warns(UserWarning, match=path.name):
        assert torch.equal(rows_of(memory, 1), expected)
    assert memory.num_encoded == 1
    healed = memory_of(predictor, tmp_path)
    assert torch.equal(rows_of(healed, 1), expected)
    assert healed.num_found == 1


def test_another_model_encodes_for_itself(tmp_path: Path) -> None:
    memory_of(tiny_predictor(), tmp_path).see([visual(1)])
    other = tiny_predictor()
    with torch.no_grad():
        other.model.resampler.latents[0, 0] += 1e-3
    memory = memory_of(other, tmp_path)
    expected = rows_of(memory_of(other), 1)
    assert torch.equal(rows_of(memory, 1), expected)
    assert (memory.num_encoded, memory.num_found) == (1, 0)


def test_the_least_recently_used_are_forgotten() -> None:
    memory = memory_of(tiny_predictor(), room=2)
    for value in (1, 2, 1, 3):
        rows_of(memory, value)
    assert (len(memory), memory.num_encoded) == (2, 3)
    rows_of(memory, 1)
    assert memory.num_encoded == 3
    rows_of(memory, 2)
    assert memory.num_encoded == 4


def test_what_was_forgotten_is_found_in_the_store(tmp_path: Path) -> None:
    predictor = tiny_predictor()
    memory = memory_of(predictor, tmp_path, room=1)
    expected = rows_of(memory, 1)
    memory.see(visual(value) for value in range(2, 6))
    assert torch.equal(rows_of(memory, 1), expected)
    assert (len(memory), memory.num_encoded, memory.num_found) == (1, 5, 1)


@pytest.mark.parametrize("room", [0, 1, 3])
def test_rows_that_are_larger_than_the_budget_are_whole(room: int) -> None:
    predictor = tiny_predictor()
    memory = memory_of(predictor, room=room)
    memory.frames_at_once = 1
    shown = [[visual(1), visual(2), visual(3), visual(4)], [visual(2), visual(5), visual(1)]]
    unlimited = memory_of(predictor)
    unlimited.frames_at_once = 1
    found, expected = memory.rows(shown), unlimited.rows(shown)
    assert found is not None
    assert expected is not None
    assert torch.equal(found, expected)
    assert (len(memory), memory.num_encoded) == (room, 5)


def test_what_rows_need_is_not_forgotten_for_what_is_new() -> None:
    memory = memory_of(tiny_predictor(), room=2)
    memory.see([visual(1), visual(2)])
    # Both new ones come first, and would push the two out.
    rows_of(memory, 3, 4, 1, 2)
    assert memory.num_encoded == 4


def test_a_visual_that_was_forgotten_takes_no_memory() -> None:
    memory = memory_of(tiny_predictor(), room=1)
    memory.see([visual(1), visual(2), visual(3)])
    (kept,) = (memory._own.get(name) for name in memory._own)
    assert kept is not None
    assert kept.untyped_storage().nbytes() == kept.nbytes == memory._own.num_bytes


def test_what_is_known_is_beyond_the_budget_and_learns_nothing() -> None:
    predictor = tiny_predictor()
    known = memory_of(predictor)
    known.see([visual(1), visual(2), visual(3)])
    memory = memory_of(predictor, room=1, known=known)
    for value in (1, 4, 2, 4, 3):
        rows_of(memory, value)
    assert (memory.num_encoded, len(memory), len(known)) == (1, 4, 3)


@settings(max_examples=15)
@given(
    room=st.integers(0, 4),
    steps=st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=4), min_size=1, max_size=6),
)
def test_budget_and_store_change_nothing_but_the_time(
    tmp_path_factory: pytest.TempPathFactory, room: int, steps: list[list[int]]
) -> None:
    folder, predictor = tmp_path_factory.mktemp("store"), tiny_predictor()
    unlimited, memory = memory_of(predictor), memory_of(predictor, folder, room=room)
    for values in steps:
        assert torch.allclose(rows_of(memory, *values), rows_of(unlimited, *values), atol=1e-5)
        assert len(memory) <= room
    # No visual was encoded twice, however often it was forgotten.
    assert memory.num_encoded == len({value for values in steps for value in values})
