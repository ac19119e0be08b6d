from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flamingo.data import FlamingoImageProcessor, VisualSource, load_visual
from flamingo.data.readings import picture_reader
from flamingo.foundation.errors import ConfigError, MediaError

from .media_for_tests import write_gif, write_video
from .pictures_for_tests import (
    IN_FILES,
    KINDS,
    MEAN,
    SIZES,
    STD,
    of_idefics,
    of_open_clip,
    picture,
    stored,
)

SIDES = (224, 30)
FILES = [(kind, ending) for ending, kinds in IN_FILES.items() for kind in kinds]
UNKNOWN_TO_PILLOW = ("La",)


def open_clip(size: int) -> FlamingoImageProcessor:
    return FlamingoImageProcessor(size, MEAN, STD, fit="crop", reading="open_clip")


def idefics(size: int) -> FlamingoImageProcessor:
    return FlamingoImageProcessor(size, MEAN, STD, fit="squash", reading="idefics")


def pixels(processor: FlamingoImageProcessor, source: VisualSource) -> torch.Tensor:
    (frame,) = processor(source)["pixel_values"][0, 0]
    return frame


def same(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    return ours.shape == theirs.shape and float((ours - theirs).abs().max()) <= 1e-6


@pytest.mark.parametrize("size", SIDES)
@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("kind", ["RGB", "RGBA", "P"])
def test_every_size_of_a_picture(kind: str, shape: tuple[int, int], size: int) -> None:
    own = picture(kind, *shape)
    assert same(pixels(open_clip(size), own), of_open_clip(own, size))
    assert same(pixels(idefics(size), own), of_idefics(own, size))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(("RGB", "RGBA", "LA", "P", "1", "L")),
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(1, 40),
    st.integers(0, 9),
)
def test_any_size(kind: str, width: int, height: int, size: int, seed: int) -> None:
    own = picture(kind, width, height, seed)
    assert same(pixels(open_clip(size), own), of_open_clip(own, size))
    assert same(pixels(idefics(size), own), of_idefics(own, size))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("ours", "theirs"), [(open_clip, of_open_clip), (idefics, of_idefics)])
def test_every_mode_or_both_cannot(kind: str, ours: object, theirs: object) -> None:
    own = picture(kind)
    if kind in UNKNOWN_TO_PILLOW:
        with pytest.raises(ValueError, match="from La to L not supported"):
            theirs(own, 30)
        with pytest.raises(MediaError, match="from La to L not supported"):
            pixels(ours(30), own)
    else:
        assert same(pixels(ours(30), own), theirs(own, 30))


@pytest.mark.parametrize(("kind", "ending"), FILES)
def test_every_mode_in_a_file(kind: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending.lower()}"
    path.write_bytes(stored(picture(kind), ending))
    for source in (path, path.read_bytes()):
        with Image.open(path) as own:
            assert same(pixels(open_clip(30), source), of_open_clip(own, 30))
        assert same(pixels(idefics(30), source), of_idefics(path.read_bytes(), 30))


@pytest.mark.parametrize("ending", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_rotation_note(orientation: int, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending.lower()}"
    path.write_bytes(stored(picture("RGB"), ending, orientation))
    for size in SIDES:
        with Image.open(path) as own:
            assert same(pixels(open_clip(size), path), of_open_clip(own, size))
        with Image.open(path) as one, Image.open(path) as other:
            assert same(pixels(open_clip(size), one), of_open_clip(other, size))
        with Image.open(path) as one, Image.open(path) as other:
            assert same(pixels(idefics(size), one), of_idefics(other, size))
        assert same(pixels(idefics(size), path), of_idefics(path.read_bytes(), size))


def test_the_readings_differ_where_they_say(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(stored(picture("RGBA"), "PNG", 6))
    with Image.open(path) as own:
        shapes = {
            name: (seen.width, seen.height)
            for name, seen in {
                "upright": load_visual(path),
                "file": idefics(30).load(path),
                "picture": idefics(30).load(own),
                "open_clip": open_clip(30).load(path),
            }.items()
        }
        assert load_visual(path).fingerprint() != idefics(30).load(path).fingerprint()
    assert shapes == {
        "upright": (47, 61),
        "file": (47, 61),
        "picture": (61, 47),
        "open_clip": (38, 30),
    }


@pytest.mark.parametrize("processor", [open_clip(30), idefics(30)])
def test_a_picture_in_memory_stays_as_it_is(processor: FlamingoImageProcessor) -> None:
    own = picture("P shaded", 30, 30)
    before = own.info.copy()
    processor.load(own)
    assert own.info == before
    assert own.mode == "P"


@pytest.mark.parametrize("processor", [open_clip(30), idefics(30)])
def test_videos_arrays_and_visuals_are_read_as_always(
    processor: FlamingoImageProcessor, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "a.mp4", [0, 50, 100, 150])
    gif = write_gif(tmp_path / "a.gif", [0, 100, 200], 1000)
    with_alpha = np.asarray(picture("RGBA"))
    frames = [picture("RGBA"), picture("RGBA", seed=1)]
    for source in (video, gif, with_alpha, frames):
        ours = processor.load(source, fps=8)
        assert ours.fingerprint() == load_visual(source, fps=8).fingerprint()
    seen = load_visual(gif)
    assert processor.load(seen) is seen
    assert processor(video, fps=8)["pixel_values"].shape == (1, 1, 4, 3, 30, 30)


def test_an_array_with_alpha_is_that_of_idefics() -> None:
    own = np.asarray(picture("RGBA"))
    assert same(pixels(idefics(30), own), of_idefics(own, 30))


@pytest.mark.parametrize("processor", [open_clip(30), idefics(30)])
def test_damaged_files_are_refused_in_every_reading(
    processor: FlamingoImageProcessor, tmp_path: Path
) -> None:
    path = tmp_path / "cat.jpg"
    content = stored(picture("RGB", 200, 200), "JPEG")
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(MediaError, match=r"cat\.jpg: the picture cannot be decoded"):
        processor.load(path)
    with pytest.raises(MediaError, match="more than the limit"):
        processor.load(Image.new("1", (10_000, 8_000)))


def test_what_would_become_too_long_is_refused_before_it_does() -> None:
    content = io.BytesIO()
    Image.new("L", (40_000, 2)).save(content, "PNG")
    with pytest.raises(MediaError, match=r"40000x2 pixels, .* are 1,003,520,000, more than"):
        open_clip(224).load(content.getvalue())
    assert idefics(224).load(content.getvalue()).width == 40_000


def test_wrong_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'open_clip'"):
        FlamingoImageProcessor(reading="openclip", fit="crop")
    with pytest.raises(ConfigError, match="there is no reading 'exif'"):
        picture_reader("exif", 8)
    with pytest.raises(ConfigError, match="do not go together"):
        FlamingoImageProcessor(reading="open_clip")
