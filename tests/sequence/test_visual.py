from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from PIL import Image

from flamingo.foundation.errors import MediaError
from flamingo.sequence import Visual
from flamingo.sequence.visual import _rgb


def test_an_image_is_a_video_of_one_frame() -> None:
    visual = Visual.from_image(np.zeros((4, 6, 3), np.uint8))
    assert (visual.num_frames, visual.height, visual.width) == (1, 4, 6)
    assert not visual.is_video


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "I"])
def test_every_pillow_mode_becomes_rgb(mode: str) -> None:
    visual = Visual.from_image(Image.new(mode, (5, 3)))
    assert visual.frames.shape == (1, 3, 5, 3)


def test_what_is_transparent_becomes_white() -> None:
    picture = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    picture.putpixel((1, 0), (0, 0, 0, 0))
    assert Visual.from_image(picture).frames[0, 0].tolist() == [[255, 0, 0], [255, 255, 255]]


def test_a_transparent_palette_color_becomes_white() -> None:
    picture = Image.new("P", (1, 1), 0)
    picture.putpalette([9, 9, 9])
    picture.info["transparency"] = 0
    assert Visual.from_image(picture).frames[0, 0, 0].tolist() == [255, 255, 255]


def test_sixteen_bit_gray_keeps_its_range() -> None:
    picture = Image.fromarray(np.array([[0, 65535]], np.uint16))
    assert Visual.from_image(picture).frames[0, 0, :, 0].tolist() == [0, 255]


def test_the_rotation_that_a_camera_noted_is_applied() -> None:
    picture = Image.new("RGB", (6, 4))
    exif = picture.getexif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", exif=exif)
    visual = Visual.from_image(Image.open(buffer))
    assert (visual.width, visual.height) == (4, 6)


@pytest.mark.parametrize("channels", [None, 1, 3, 4])
def test_arrays_of_any_channel_count_become_rgb(channels: int | None) -> None:
    shape = (4, 6) if channels is None else (4, 6, channels)
    assert Visual.from_image(np.full(shape, 255, np.uint8)).frames.shape == (1, 4, 6, 3)


def test_a_video_keeps_its_frames_in_order() -> None:
    frames = np.stack([np.full((2, 2, 3), value, np.uint8) for value in (1, 2, 3)])
    for source in (frames, list(frames), [Image.fromarray(frame) for frame in frames]):
        visual = Visual.from_frames(source)
        assert visual.is_video
        assert visual.frames[:, 0, 0, 0].tolist() == [1, 2, 3]


def test_the_pixels_cannot_be_changed_and_the_callers_array_still_can() -> None:
    pixels = np.zeros((1, 2, 2, 3), np.uint8)
    visual = Visual(pixels)
    with pytest.raises(ValueError, match="read-only"):
        visual.frames[0] = 1
    pixels[0] = 1


def test_equal_content_has_an_equal_fingerprint() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)
    assert Visual(pixels).fingerprint() == Visual(pixels.copy()).fingerprint()
    assert Visual(pixels).fingerprint() != Visual(pixels.reshape(1, 4, 2, 3)).fingerprint()
    assert Visual(pixels).fingerprint() != Visual(pixels[..., ::-1]).fingerprint()


def test_a_visual_survives_pickling() -> None:
    visual = Visual.from_image(np.ones((2, 2, 3), np.uint8))
    assert pickle.loads(pickle.dumps(visual)).fingerprint() == visual.fingerprint()


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        (np.zeros((1, 2, 2, 3)), "not float64"),
        (np.zeros((2, 2, 3), np.uint8), r"shape \[2, 2, 3\]"),
        (np.zeros((0, 2, 2, 3), np.uint8), "nothing to look at"),
    ],
)
def test_what_is_no_video_is_refused(frames: np.ndarray, text: str) -> None:
    with pytest.raises(MediaError, match=text):
        Visual(frames)


def test_no_frames_is_an_error() -> None:
    with pytest.raises(MediaError, match="the video has 0 frames"):
        Visual.from_frames([])


def test_frames_of_different_sizes_are_named() -> None:
    with pytest.raises(MediaError, match="frame 1 is 3x2 but frame 0 is 2x2"):
        Visual.from_frames([np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8)])


def test_a_truncated_picture_is_an_error_of_ours() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(
        buffer, "JPEG"
    )
    picture = Image.open(io.BytesIO(buffer.getvalue()[:800]))
    with pytest.raises(MediaError, match="cannot be decoded"):
        Visual.from_image(picture)


def test_something_else_is_refused_by_name() -> None:
    with pytest.raises(MediaError, match="a str is not a picture"):
        _rgb("cat.png")
