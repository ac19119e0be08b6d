from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from flamingo.cli import retrieve
from flamingo.foundation.errors import CheckpointError, DataError
from flamingo.model.checkpoints.contrastive import TEXT, save_contrastive
from flamingo.model.contrastive import ContrastiveModel, build_text_tower
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import build_vision_encoder
from tests.data.captioned_pictures import write_pictures
from tests.data.tokenizers_for_tests import byte_level_bpe


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    retrieve.add_parser(parser.add_subparsers())
    return parser.parse_args(["retrieve", *words, "--device", "cpu"])


@pytest.fixture
def model(tmp_path: Path) -> str:
    config = NFNetConfig(variant="custom", depths=[1], channels=[16], image_size=16)
    size = len(byte_level_bpe())
    text = build_text_tower(vocab_size=size, dim=16, num_layers=1, num_heads=2, max_tokens=24)
    folder = tmp_path / "model"
    save_contrastive(ContrastiveModel(build_vision_encoder(config), text, dim=8), folder)
    byte_level_bpe().save_pretrained(folder / TEXT)
    return str(folder)


def test_it_prints_a_table_and_keeps_the_numbers(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = write_pictures(tmp_path / "pairs")
    (tmp_path / "pairs/003.txt").write_text("")
    assert retrieve.run(parsed(model, pairs, "--out", str(tmp_path / "scores.json"))) == 0
    out, err = capsys.readouterr()
    assert "R@1     R@5    R@10" in out
    assert "7 pictures, 7 captions" in out
    assert "Not used" in err
    assert "003" in err
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["num_images"] == 7
    assert set(scores["text_to_image"]) == {"1", "5", "10"}
    assert len(scores["skipped"]) == 1


def test_a_wrong_model_or_data_is_named(model: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no text tower"):
        retrieve.run(parsed(str(tmp_path), "x"))
    with pytest.raises(DataError, match="no folder"):
        retrieve.run(parsed(model, str(tmp_path / "nowhere")))
