from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from flamingo.data import VisualTransform
from flamingo.data.datasets import DatasetConfig, ShardWriter
from flamingo.data.feature_samples import OpenedSamples
from flamingo.data.features import VisualFeatures, features_to_bytes
from flamingo.foundation.errors import ConfigError, DataError
from tests.presets.own_parts import (
    drawn,
    pages_tar,
    pairs_tar,
    questions_jsonl,
    text_jsonl,
    videos_tar,
)

TRANSFORM = VisualTransform(16)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAMINGO_CACHE", str(tmp_path / "cache"))


def opened(kind: str, path: Path, **settings: object) -> OpenedSamples:
    return OpenedSamples(DatasetConfig(kind, str(path), **settings), TRANSFORM)


def write(path: Path, *samples: dict[str, bytes]) -> Path:
    with ShardWriter(path.with_suffix("")) as writer:
        for number, members in enumerate(samples):
            writer.write(f"{number}", members)
    return path.with_name(f"{path.stem}-000000.tar")


def test_a_pair_keeps_its_text(tmp_path: Path) -> None:
    samples = opened("pairs", pairs_tar(tmp_path / "a.tar"))
    assert len(samples) == 6
    assert samples[1].members == {"txt": b"a green square."}
    assert samples[1].visuals["features"].shape == (1, 3, 16, 16)
    assert samples[1].skipped == ()


def test_a_pair_of_json_lines_no_longer_names_its_picture(tmp_path: Path) -> None:
    sample = opened("pairs", questions_jsonl(tmp_path))[0]
    fields = json.loads(sample.members["json"])
    assert fields == {"prompt": "Question: which color? Answer:", "text": "red"}
    assert list(sample.visuals) == ["features"]


def test_a_folder_is_opened_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(drawn("red"))
    (tmp_path / "a.txt").write_text("a red square.")
    sample = opened("pairs", tmp_path)[0]
    assert sample.members == {"txt": b"a red square."}


def test_a_page_names_its_features(tmp_path: Path) -> None:
    sample = opened("pages", pages_tar(tmp_path / "a.tar"))[0]
    fields = json.loads(sample.members["json"])
    assert fields["images"] == ["0.features", "1.features"]
    assert fields["text"].count("<image>") == 2
    assert list(sample.visuals) == ["0.features", "1.features"]


def test_gaps_in_the_lists_of_a_page_stay(tmp_path: Path) -> None:
    page = {"texts": ["a", None, "b"], "images": [None, "red.png", None], "url": "x"}
    members = {"json": json.dumps(page).encode(), "red.png": drawn("red")}
    sample = opened("pages", write(tmp_path / "a.tar", members))[0]
    assert json.loads(sample.members["json"]) == {**page, "images": [None, "0.features", None]}


def test_of_a_video_the_first_frames_are_seen(tmp_path: Path) -> None:
    samples = opened("videos", videos_tar(tmp_path / "a.tar"), num_frames=2)
    assert samples[1].visuals["features"].shape == (2, 3, 16, 16)
    assert torch.equal(samples[1].visuals["features"], samples[1].visuals["features"])


def test_a_broken_picture_costs_a_pair_but_not_a_page(tmp_path: Path) -> None:
    broken = drawn("red")[:40]
    pair = opened("pairs", write(tmp_path / "a.tar", {"png": broken, "txt": b"a cat"}))[0]
    assert pair.members == pair.visuals == {}
    assert "png" in pair.skipped[0].reason
    page = {
        "json": json.dumps({"text": "<image>a<image>b", "images": ["0.png", "1.png"]}).encode(),
        "0.png": broken,
        "1.png": drawn("red"),
    }
    sample = opened("pages", write(tmp_path / "b.tar", page))[0]
    assert list(sample.visuals) == ["1.features"]
    assert json.loads(sample.members["json"])["images"] == ["0.features", "1.features"]
    assert "0.png" in sample.skipped[0].reason


def test_a_page_without_as_many_tags_as_images_is_skipped(tmp_path: Path) -> None:
    page = {"json": json.dumps({"text": "no tag", "images": ["0.png"]}).encode()}
    sample = opened("pages", write(tmp_path / "a.tar", page))[0]
    assert sample.members == {}
    assert "0 <image> tags but 1 visual" in sample.skipped[0].reason


def test_text_and_features_have_nothing_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no pictures"):
        opened("text", text_jsonl(tmp_path / "a.jsonl"))
    features = features_to_bytes(VisualFeatures(torch.zeros(1, 4, 8)))
    path = write(tmp_path / "b.tar", {"features": features, "txt": b"a cat"})
    with pytest.raises(DataError, match="features already"):
        opened("pairs", path)[0]
