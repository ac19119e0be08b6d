from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.data.files import load_visual
from flamingo.foundation.errors import ConfigError, MediaError

from .media_for_tests import gray, write_gif, write_video


def brightness(visual: object) -> list[int]:
    return [round(float(frame.mean()) / 10) for frame in visual.frames]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "mpeg4"), ("a.webm", "libvpx"), ("a.mkv", "mpeg4"), ("a.avi", "mpeg4")],
)
def test_one_frame_per_second_of_each_container(tmp_path: Path, name: str, codec: str) -> None:
    path = write_video(tmp_path / name, [i * 10 for i in range(24)], codec=codec)
    visual = load_visual(path)
    assert brightness(visual) == [0, 8, 16]
    assert (visual.width, visual.height) == (64, 48)


def test_reordered_frames_come_in_the_order_shown(tmp_path: Path) -> None:
    if "libx264" not in av.codecs_available:
        pytest.skip("this PyAV cannot write frames out of order")
    path = write_video(tmp_path / "a.mp4", [i * 10 for i in range(24)], codec="libx264")
    assert brightness(load_visual(path, fps=8)) == list(range(24))


def test_gif(tmp_path: Path) -> None:
    path = write_gif(tmp_path / "a.gif", [i * 10 for i in range(24)], 125)
    assert brightness(load_visual(path)) == [0, 8, 16]


def test_gif_frames_of_different_durations(tmp_path: Path) -> None:
    path = write_gif(tmp_path / "a.gif", [0, 50, 100], [1500, 200, 1300])
    assert brightness(load_visual(path)) == [0, 0, 10]


def test_variable_frame_rate_is_sampled_by_time(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", [0, 50, 100, 150], fps=1000, stamps=[0.0, 0.2, 0.4, 2.5])
    assert brightness(load_visual(path)) == [0, 10, 10]


def test_a_time_line_that_begins_late(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", [0, 50, 100], fps=1000, stamps=[5.0, 6.0, 7.0])
    assert brightness(load_visual(path))[:2] == [0, 5]


def test_an_exact_number_of_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [i * 10 for i in range(16)])
    assert brightness(load_visual(path, num_frames=4)) == [2, 6, 10, 14]
    assert load_visual(path, num_frames=20).num_frames == 20


def test_long_videos_are_thinned(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [i * 10 for i in range(20)], fps=1)
    assert brightness(load_visual(path, max_frames=5)) == [2, 6, 10, 14, 18]


def test_one_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [100])
    assert not load_visual(path).is_video


def test_bytes_are_read_like_a_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [0, 50, 100], fps=1)
    assert brightness(load_visual(path.read_bytes())) == [0, 5, 10]


def test_large_frames_are_made_smaller(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [0, 50], size=(1600, 800), fps=1)
    visual = load_visual(path)
    assert (visual.width, visual.height) == (1024, 512)


def test_memory_does_not_grow_with_the_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [0] * 200, size=(320, 240), fps=20)
    tracemalloc.start()
    load_visual(path, num_frames=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 320 * 240 * 3


def test_a_turned_phone_video_stands_upright(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    left_is_white = gray(0)
    left_is_white[:, :32] = 255
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(90)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(left_is_white, format="rgb24")))
        container.mux(stream.encode())
    visual = load_visual(path)
    assert (visual.width, visual.height) == (48, 64)
    # A quarter turn against the clock takes the left side to the bottom.
    assert visual.frames[0, 48:].mean() > 200 > 50 > visual.frames[0, :16].mean()


def test_a_video_of_no_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [0, 50, 100])
    with av.open(str(path)) as source, av.open(str(tmp_path / "b.mkv"), "w") as target:
        target.add_stream_from_template(source.streams.video[0])
        target.start_encoding()
    with pytest.raises(MediaError, match=r"b\.mkv: the video has 0 frames"):
        load_visual(tmp_path / "b.mkv")


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(MediaError, match="has no video in it"):
        load_visual(path)


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.avi"])
def test_a_truncated_video_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    codec = "libvpx" if name.endswith("webm") else "mpeg4"
    path = write_video(tmp_path / name, range(0, 240, 10), codec=codec)
    content = path.read_bytes()
    for length in (13, 40, 200):
        path.write_bytes(content[:length])
        with pytest.raises(MediaError, match=f"{name}: "):
            load_visual(path)


def test_a_damaged_video_never_raises_anything_else(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", range(0, 240, 10))
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for _ in range(30):
        damaged = bytearray(content)
        for place in rng.integers(8, len(content), 40):
            damaged[place] = rng.integers(256)
        try:
            load_visual(bytes(damaged))
        except MediaError:
            continue


def test_without_pyav_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", [0, 50])
    gif = write_gif(tmp_path / "a.gif", [0, 50], 1000)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MediaError, match=r'pip install "flamingo-vlm\[video\]"'):
        load_visual(path)
    assert load_visual(gif).num_frames == 2


def test_a_huge_frame_is_refused_before_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mp4", [0, 50])
    monkeypatch.setattr("flamingo.data.pictures.MAX_PIXELS", 1000)
    with pytest.raises(MediaError, match="64x48 = 3,072 pixels are more than the limit of 1,000"):
        load_visual(path)


def write_shuffled_video(path: Path, num_frames: int, gap: int = 6) -> Path:
    """A video of noise, 8 frames per second, most of which are stored out of order.

    Every `gap` frames at the latest one stands by itself.
    """
    pixels = np.random.default_rng(0).integers(0, 256, (num_frames, 48, 64, 3), np.uint8)
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.gop_size = gap
        for picture in pixels:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module", params=["a.mp4", "a.mkv", "a.avi"])
def long_video(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, np.ndarray]:
    """A video of 40 frames, and all of them, decoded from the beginning."""
    path = write_shuffled_video(tmp_path_factory.mktemp("long") / request.param, 40)
    return path, load_visual(path, fps=8, max_frames=40).frames


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 39), st.integers(1, 12), st.sampled_from([2.0, 8.0]))
def test_a_stretch_has_the_frames_that_decoding_from_the_beginning_gives(
    long_video: tuple[Path, np.ndarray], first: int, length: int, fps: float
) -> None:
    path, whole = long_video
    end = (first + length) / 8
    stretch = load_visual(path, fps=fps, max_frames=40, start=first / 8, end=end).frames
    assert np.array_equal(stretch, whole[first : first + length : round(8 / fps)])


def test_a_fixed_number_of_frames_is_taken_from_the_stretch(
    long_video: tuple[Path, np.ndarray],
) -> None:
    path, whole = long_video
    stretch = load_visual(path, num_frames=3, start=1.0, end=4.0).frames
    assert np.array_equal(stretch, whole[[12, 20, 28]])


def test_what_comes_before_a_stretch_is_not_decoded(tmp_path: Path) -> None:
    path = write_shuffled_video(tmp_path / "a.mp4", 40)
    expected = load_visual(path, start=3.0, end=5.0)
    with av.open(str(path)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.size]
        spoiled = [(packet.pos, packet.size) for packet in packets[:12]]
    content = bytearray(path.read_bytes())
    for place, size in spoiled:
        content[place : place + size] = b"\xff" * size
    path.write_bytes(content)
    assert load_visual(path, start=3.0, end=5.0).fingerprint() == expected.fingerprint()
    with pytest.raises(MediaError, match="cannot be decoded"):
        load_visual(path)


def test_a_stretch_of_a_time_line_that_begins_late(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", [0, 50, 100], fps=1000, stamps=[5.0, 6.0, 7.0])
    assert brightness(load_visual(path, start=1.0, end=2.0)) == [5]


def test_a_stretch_of_a_gif(tmp_path: Path) -> None:
    path = write_gif(tmp_path / "a.gif", [i * 10 for i in range(24)], 125)
    assert brightness(load_visual(path, start=1.0, end=3.0)) == [8, 16]


def test_a_stretch_after_the_end_names_the_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [0, 50, 100], fps=1)
    with pytest.raises(MediaError, match=r"a\.mp4: the stretch begins 7 s .* has only 3 s"):
        load_visual(path, start=7, end=9)
    with pytest.raises(ConfigError, match="from start=2 to end=1 is impossible"):
        load_visual(path, start=2, end=1)
