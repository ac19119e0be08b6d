from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from flamingo.data.captions import CaptionTokenizer
from flamingo.data.contrastive_batches import (
    ContrastivePairs,
    build_contrastive_pairs,
    stored_pairs,
)
from flamingo.data.datasets import DatasetConfig
from flamingo.data.features import VisualFeatures, features_to_bytes
from flamingo.data.skipping import Skipped
from flamingo.data.transforms import VisualTransform
from flamingo.foundation.errors import ConfigError
from flamingo.foundation.sharing import Share
from flamingo.training.sources import SharedSource
from tests.data.captioned_pictures import write_pictures
from tests.data.tokenizers_for_tests import byte_level_bpe

CAPTIONS = CaptionTokenizer(byte_level_bpe(), 24)
PLAIN = {"flip": 0.0, "color_jitter": 0.0}


def pairs(path: str, **settings: object) -> ContrastivePairs:
    config = replace(DatasetConfig(kind="pairs", path=path, batch=5), **settings)
    return build_contrastive_pairs("pairs", config, CAPTIONS, VisualTransform(16))


def test_rows_are_pictures_with_their_own_captions(tmp_path: Path) -> None:
    source = pairs(write_pictures(tmp_path), **PLAIN)
    assert isinstance(source, SharedSource)
    stored = {
        text: VisualTransform(16)(visual)[0]
        for visual, text in stored_pairs("pairs", DatasetConfig("pairs", str(tmp_path)), [])
    }
    batch = source.batch(0).batch
    assert batch["pixels"].shape == (5, 3, 16, 16)
    assert batch["token_ids"].shape == batch["token_mask"].shape
    for pixels, ids, mask in zip(*(batch[name] for name in batch), strict=True):
        text = CAPTIONS.tokenizer.decode(ids[mask == 1])
        # Of the two pictures of a color, either: they differ by little.
        assert (pixels - stored[text]).abs().mean() < 0.3, text


def test_an_epoch_has_every_pair_once_and_another_order_than_the_next(tmp_path: Path) -> None:
    source = pairs(write_pictures(tmp_path), batch=8, **PLAIN)
    epochs = [source.batch(step).batch["pixels"] for step in (0, 1)]
    for epoch in epochs:
        assert len({row.numpy().tobytes() for row in epoch}) == 8
    assert not torch.equal(*epochs)


@pytest.mark.parametrize("count", [2, 3])
def test_shares_in_order_are_the_whole_batch(count: int, tmp_path: Path) -> None:
    source = pairs(write_pictures(tmp_path))
    whole = source.batch(3).batch
    shares = [source.share_of_batch(3, Share(index, count)).batch for index in range(count)]
    assert torch.equal(torch.cat([share["pixels"] for share in shares]), whole["pixels"])
    lengths = torch.cat([share["token_mask"].sum(1) for share in shares])
    assert torch.equal(lengths, whole["token_mask"].sum(1))


def test_the_same_step_is_the_same_batch_and_pictures_are_changed_at_random(tmp_path: Path) -> None:
    path = write_pictures(tmp_path)
    first, again = (pairs(path).batch(1).batch for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    plain = pairs(path, **PLAIN).batch(1).batch
    assert torch.equal(plain["token_ids"], first["token_ids"])
    assert not torch.equal(plain["pixels"], first["pixels"])


def test_what_cannot_be_used_is_named_and_replaced(tmp_path: Path) -> None:
    path = write_pictures(tmp_path)
    (tmp_path / "001.txt").write_text(" ")
    (tmp_path / "002.png").write_bytes((tmp_path / "002.png").read_bytes()[:60])
    (tmp_path / "003.png").unlink()
    features = features_to_bytes(VisualFeatures(torch.zeros(1, 2, 3)))
    (tmp_path / "003.features").write_bytes(features)
    drawn = pairs(path, batch=8).batch(0)
    assert len(drawn.batch["pixels"]) == 8
    reasons = {one.sample[-3:]: one.reason for one in drawn.skipped}
    assert "no text" in reasons["001"]
    assert "002" in reasons
    assert "nothing to look at" in reasons["003"]
    skipped: list[Skipped] = []
    found = list(stored_pairs("pairs", DatasetConfig("pairs", path), skipped))
    assert [one.sample[-3:] for one in skipped] == ["001", "002", "003"]
    assert len(found) == 5


def test_stored_pairs_come_in_order_and_unchanged(tmp_path: Path) -> None:
    path = write_pictures(tmp_path)
    first, second = (list(stored_pairs("x", DatasetConfig("pairs", path), [])) for _ in range(2))
    assert [text for _, text in first[:3]] == ["a red thing", "a green thing", "a blue thing"]
    for (visual, _), (other, _) in zip(first, second, strict=True):
        assert np.array_equal(visual.frames, other.frames)


def test_captions_are_cut_at_the_data_sets_limit(tmp_path: Path) -> None:
    source = pairs(write_pictures(tmp_path), max_tokens=8)
    assert source.batch(0).batch["token_ids"].shape[1] == 8
    with pytest.raises(ConfigError, match="captions of 99 tokens, but the text tower reads 24"):
        pairs(str(tmp_path), max_tokens=99)


def test_other_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'pairs' is of kind 'videos'"):
        pairs(write_pictures(tmp_path), kind="videos")


def test_it_says_what_it_is_made_of(tmp_path: Path) -> None:
    path = write_pictures(tmp_path / "one")
    source = pairs(path, weight=0.2)
    assert (source.name, source.weight, source.size, source.num_samples) == ("pairs", 0.2, 5, 8)
    assert source.fingerprint == pairs(path).fingerprint
    assert source.fingerprint != pairs(write_pictures(tmp_path / "two", num=9)).fingerprint
