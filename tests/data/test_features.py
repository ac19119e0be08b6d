from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from flamingo.data import Encoder, VisualTransform, collate, prepare_tokenizer
from flamingo.data.encoding import Encoded
from flamingo.data.features import VisualFeatures, features_from_bytes, features_to_bytes
from flamingo.foundation.errors import DataError
from flamingo.sequence import Interleaved, Visual

from .tokenizers_for_tests import byte_level_bpe

ENCODER = Encoder(prepare_tokenizer(byte_level_bpe()))
TRANSFORM = VisualTransform(8)
PAD = ENCODER.prepared.ids.pad
PICTURE = Visual.from_image(np.full((4, 4, 3), 200, np.uint8))


def features(frames: int = 1, positions: int = 4, dim: int = 3, dtype=torch.float32):
    return VisualFeatures(torch.randn(frames, positions, dim).to(dtype))


def row(*visuals: VisualFeatures | Visual) -> Encoded:
    document = Interleaved.of(*([PICTURE, "a cat."] * len(visuals)))
    return replace(ENCODER(document, is_complete=True), visuals=visuals)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_features_come_back_bit_by_bit(dtype: torch.dtype) -> None:
    given = features(3, dtype=dtype)
    read = features_from_bytes(features_to_bytes(given))
    assert read.values.dtype == dtype
    assert torch.equal(read.values, given.values)
    assert (read.num_frames, read.is_video) == (3, True)


def test_a_part_of_a_larger_tensor_takes_its_own_space_only() -> None:
    large = torch.randn(100, 4, 3)
    content = features_to_bytes(VisualFeatures(large.transpose(1, 2)[5:6].transpose(1, 2)))
    assert len(content) < 400
    assert torch.equal(features_from_bytes(content).values, large[5:6])


@pytest.mark.parametrize("content", [b"", b"not features", features_to_bytes(features())[:-5]])
def test_damaged_bytes_are_named(content: bytes) -> None:
    with pytest.raises(DataError, match=r"damaged or incomplete.*flamingo features"):
        features_from_bytes(content)


def test_features_without_content_are_refused() -> None:
    with pytest.raises(DataError, match=r"shape \[0, 4, 3\], expected \[frames, positions, dim\]"):
        features(0)


def test_a_batch_of_features_is_laid_out_as_one_of_pictures() -> None:
    image, clip = features(), features(3)
    batch = collate([row(image, clip), row(), row(clip)], TRANSFORM, PAD)
    assert batch.pixel_values is None
    assert batch.visual_features is not None
    assert batch.frame_mask is not None
    assert batch.visual_features.shape == (3, 2, 3, 4, 3)
    assert batch.frame_mask.sum(-1).tolist() == [[1, 3], [0, 0], [3, 0]]
    assert torch.equal(batch.visual_features[0, 0, :1], image.values)
    assert torch.equal(batch.visual_features[2, 0], clip.values)
    assert not batch.visual_features[~batch.frame_mask].any()
    assert {"visual_features", "frame_mask"} < batch.model_inputs().keys()
    assert "pixel_values" not in batch.model_inputs()


def test_a_batch_keeps_the_number_format_of_features() -> None:
    batch = collate([row(features(dtype=torch.bfloat16))], TRANSFORM, PAD)
    assert batch.to("cpu").model_inputs()["visual_features"].dtype == torch.bfloat16


def test_pictures_and_features_do_not_mix() -> None:
    with pytest.raises(DataError, match=r"1 visuals as pictures and 2 as precomputed features"):
        collate([row(features(), features()), row(PICTURE)], TRANSFORM, PAD)


def test_features_of_two_encoders_do_not_mix() -> None:
    with pytest.raises(DataError, match=r"4 positions of width 3 in float32; 9 positions of wid"):
        collate([row(features()), row(features(positions=9))], TRANSFORM, PAD)
