from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from flamingo.data import VisualTransform, load_visual
from flamingo.data.datasets.media import VideoFrames, VisualReader, only_media
from flamingo.data.datasets.raw_samples import BrokenSample
from flamingo.data.features import VisualFeatures, features_to_bytes
from flamingo.foundation.randomness import generator
from flamingo.sequence import Visual
from tests.data.media_for_tests import jpeg_bytes, write_gif, write_video

from .datasets_for_tests import raw_sample


def read(reader: VisualReader, content: bytes, seed: int | None = None, name: str = "x") -> Visual:
    rng = None if seed is None else generator(seed)
    visual = reader(raw_sample(**{name: content}), name, rng)
    assert isinstance(visual, Visual)
    return visual


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """24 seconds at 4 frames per second, whose gray is ten times the second."""
    path = tmp_path_factory.mktemp("video") / "a.mp4"
    values = [10 * (position // 4) for position in range(96)]
    return write_video(path, values, fps=4).read_bytes()


def seconds(visual: Visual) -> list[int]:
    return [round(float(frame.mean()) / 10) for frame in visual.frames]


def test_a_stretch_of_a_long_video_at_its_own_rate(video: bytes) -> None:
    reader = VisualReader(VideoFrames(num_frames=8, fps=1.0))
    begins = set()
    for seed in range(30):
        found = seconds(read(reader, video, seed))
        assert found == list(range(found[0], found[0] + 8))
        begins.add(found[0])
    assert min(begins) <= 2
    assert max(begins) >= 13
    assert seconds(read(reader, video)) == list(range(8))


def test_a_short_video_is_taken_whole(video: bytes) -> None:
    reader = VisualReader(VideoFrames(num_frames=30, fps=0.5))
    assert seconds(read(reader, video, 0)) == list(range(0, 24, 2))


def test_all_frames_are_changed_alike(tmp_path: Path) -> None:
    content = write_video(tmp_path / "a.mp4", [100] * 8, fps=1).read_bytes()
    reader = VisualReader(VideoFrames(8, 1.0), color_jitter=0.9)
    changed = [read(reader, content, seed).frames for seed in range(3)]
    assert all(len(frames) == 8 and (frames == frames[:1]).all() for frames in changed)
    assert len({float(frames.mean()) for frames in changed}) == 3
    ramp = Visual(np.arange(72, dtype=np.uint8).reshape(2, 3, 4, 3))
    flipped = VisualReader(flip_probability=1.0)._augmented(ramp, generator(0))
    assert np.array_equal(flipped.frames, ramp.frames[:, :, ::-1])


def test_nothing_is_changed_without_randomness() -> None:
    reader = VisualReader(flip_probability=1.0, color_jitter=1.0, size=8)
    stored = read(reader, jpeg_bytes())
    assert stored.fingerprint() == load_visual(jpeg_bytes()).fingerprint()


def test_smaller_before_colors_change_is_the_same_to_the_encoder() -> None:
    transform = VisualTransform(16)
    small = read(VisualReader(size=16), jpeg_bytes(), 0)
    assert max(small.width, small.height) == 16
    assert torch.equal(transform(small), transform(load_visual(jpeg_bytes())))
    assert read(VisualReader(size=999), jpeg_bytes(), 0).width == 64


def test_an_animation_is_a_still_picture_where_images_are_wanted(tmp_path: Path) -> None:
    content = write_gif(tmp_path / "a.gif", [0, 100, 200], 1000).read_bytes()
    assert read(VisualReader(), content).num_frames == 1
    assert read(VisualReader(VideoFrames(8, 1.0)), content).num_frames == 3


def test_features_are_left_alone() -> None:
    features = VisualFeatures(torch.rand(1, 2, 3))
    raw = raw_sample(features=features_to_bytes(features))
    reader = VisualReader(flip_probability=1.0, color_jitter=1.0)
    for name in ("features", "jpg"):
        found = reader(raw, name, generator(0))
        assert isinstance(found, VisualFeatures)
        assert torch.equal(found.values, features.values)


def test_features_come_first_where_they_are_of_use() -> None:
    raw = raw_sample(jpg=b"", features=b"", txt=b"")
    assert only_media(raw, ("jpg", "features")) == "features"
    assert only_media(raw, ("jpg",)) == "jpg"
    assert only_media(raw_sample(txt=b""), ("jpg",), named="a/b.jpg") == "a/b.jpg"


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_cut_video_is_named(video: bytes, share: float) -> None:
    reader = VisualReader(VideoFrames(8, 1.0))
    with pytest.raises(BrokenSample, match=r"^mp4: the video") as caught:
        read(reader, video[: int(len(video) * share)], name="mp4")
    assert "\n" not in caught.value.reason
