"""The settings of the image half of the processor: saved, loaded, and used by whoever loads."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from flamingo.data import FlamingoImageProcessor, FlamingoProcessor
from flamingo.foundation.errors import ConfigError

from .pictures_for_tests import MEAN, STD, of_open_clip, picture, stored
from .tokenizers_for_tests import byte_level_bpe

SETTINGS = [("pad", "upright"), ("squash", "idefics"), ("crop", "open_clip"), ("crop", "upright")]


@pytest.mark.parametrize(("fit", "reading"), SETTINGS)
def test_settings_are_saved(fit: str, reading: str, tmp_path: Path) -> None:
    own = FlamingoImageProcessor(16, fit=fit, reading=reading)
    own.save_pretrained(tmp_path / "image")
    FlamingoProcessor(own, byte_level_bpe()).save_pretrained(tmp_path / "both")
    alone = FlamingoImageProcessor.from_pretrained(tmp_path / "image")
    both = FlamingoProcessor.from_pretrained(tmp_path / "both").image_processor
    for loaded in (alone, both):
        assert (loaded.fit, loaded.reading) == (fit, reading)
        assert (loaded.transform.fit, loaded.to_dict()) == (fit, own.to_dict())


def test_the_usual_settings_are_saved_as_before_there_were_any(tmp_path: Path) -> None:
    FlamingoImageProcessor(16).save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert sorted(saved) == [
        *("image_mean", "image_processor_type", "image_std", "model_input_names", "size"),
    ]
    others = [FlamingoImageProcessor(16, fit=fit, reading=how) for fit, how in SETTINGS]
    assert len({json.dumps(one.to_dict()) for one in others}) == 4
    assert len({repr(one.transform) for one in others}) == 3
    assert "fit" not in repr(others[0].transform)


def test_wrong_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'squash'"):
        FlamingoImageProcessor(fit="squashed")
    with pytest.raises(ConfigError, match="there is no reading 'clip'"):
        FlamingoImageProcessor(reading="clip")


def test_the_whole_processor_reads_as_its_image_half(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(stored(picture("RGBA"), "PNG", 6))
    image_processor = FlamingoImageProcessor(30, MEAN, STD, fit="crop", reading="open_clip")
    processor = FlamingoProcessor(image_processor, byte_level_bpe())
    with Image.open(path) as own:
        expected = of_open_clip(own, 30)
    for source in (path, path.read_bytes(), Image.open(io.BytesIO(path.read_bytes()))):
        seen = processor(text="<image>a", images=[source])["pixel_values"][0, 0, 0]
        assert float((seen - expected).abs().max()) <= 1e-6
    assert torch.equal(image_processor(path)["pixel_values"][0, 0, 0], seen)
