from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

from flamingo.data import Encoder, PaddingSide, VisualTransform, collate, prepare_tokenizer
from flamingo.foundation.errors import DataError
from flamingo.sequence import Interleaved, Visual

from .tokenizers_for_tests import byte_level_bpe

IMAGE = Visual.from_image(np.full((4, 4, 3), 200, np.uint8))
CLIP = Visual(np.full((3, 4, 8, 3), 100, np.uint8))
ENCODER = Encoder(prepare_tokenizer(byte_level_bpe()))
TRANSFORM = VisualTransform(8)
PAD = ENCODER.prepared.ids.pad
ROWS = [
    ENCODER(document, is_complete=True)
    for document in (
        Interleaved.of(IMAGE, "a cat.", CLIP, "a"),
        Interleaved.of("text only"),
        Interleaved.of(CLIP, "b"),
    )
]


@pytest.mark.parametrize("side", ["left", "right"])
def test_each_row_stands_alone_in_its_batch(side: PaddingSide) -> None:
    batch = collate(ROWS, TRANSFORM, PAD, side)
    for number, row in enumerate(ROWS):
        alone = collate([row], TRANSFORM, PAD, side)
        kept = batch.attention_mask[number].bool()
        for name in ("input_ids", "visual_index", "labels", "loss_weights"):
            assert torch.equal(getattr(batch, name)[number][kept], getattr(alone, name)[0])
        assert kept.sum() == len(row)
        assert bool(kept[-1 if side == "left" else 0])


def test_what_fills_up_counts_nowhere() -> None:
    batch = collate(ROWS, TRANSFORM, PAD)
    padding = batch.attention_mask == 0
    assert (batch.labels[padding] == -100).all()
    assert (batch.loss_weights[padding] == 0).all()
    assert (batch.visual_index[padding] == 0).all()
    assert (batch.input_ids[padding] == PAD).all()


def test_visuals_of_different_number_and_length() -> None:
    batch = collate(ROWS, TRANSFORM, PAD)
    assert batch.pixel_values is not None
    assert batch.frame_mask is not None
    assert batch.pixel_values.shape == (3, 2, 3, 3, 8, 8)
    assert batch.frame_mask.tolist() == [
        [[True, False, False], [True, True, True]],
        [[False] * 3, [False] * 3],
        [[True, True, True], [False] * 3],
    ]
    assert torch.equal(batch.pixel_values[0, 0, :1], TRANSFORM(IMAGE))
    assert torch.equal(batch.pixel_values[2, 0], TRANSFORM(CLIP))
    assert not batch.pixel_values[~batch.frame_mask].any()


def test_a_batch_of_text_has_no_pixels() -> None:
    batch = collate(ROWS[1:2], TRANSFORM, PAD)
    assert batch.pixel_values is None
    assert batch.frame_mask is None
    assert set(batch.model_inputs()) == {"input_ids", "attention_mask", "visual_index"}


def test_model_inputs_carry_the_models_names() -> None:
    inputs = collate(ROWS, TRANSFORM, PAD).model_inputs()
    assert set(inputs) == {
        "input_ids",
        "attention_mask",
        "visual_index",
        "pixel_values",
        "frame_mask",
    }
    assert inputs["frame_mask"].dtype == torch.bool
    assert inputs["visual_index"].dtype == inputs["input_ids"].dtype == torch.int64


def test_tags_and_the_begin_are_not_learned_as_text() -> None:
    batch = collate(ROWS, TRANSFORM, PAD)
    tags = batch.input_ids == ENCODER.prepared.ids.image[0]
    assert tags.sum() == 3
    assert (batch.labels[tags] == -100).all()
    assert (batch.labels[:, 0] == -100).all()


def test_a_visual_in_several_places_is_transformed_once() -> None:
    calls = []

    def counting(visual: Visual) -> torch.Tensor:
        calls.append(visual)
        return TRANSFORM(visual)

    row = ENCODER(Interleaved.of(IMAGE, "a", IMAGE, "b"), is_complete=True)
    collate([row, row], counting, PAD)
    assert calls == [IMAGE]


def test_moving_keeps_everything() -> None:
    batch = collate(ROWS, TRANSFORM, PAD)
    moved = batch.to("cpu")
    for field in fields(batch):
        if field.name == "visual_features":  # pictures or features: never both
            assert moved.visual_features is None
            continue
        assert torch.equal(getattr(moved, field.name), getattr(batch, field.name))
    assert collate(ROWS[1:2], TRANSFORM, PAD).to("meta").pixel_values is None


def test_no_sequences_is_an_error() -> None:
    with pytest.raises(DataError, match="a batch of 0 sequences"):
        collate([], TRANSFORM, PAD)
