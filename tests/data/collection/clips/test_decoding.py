"""Frames of clips: the ones that `load_visual` takes of the same stretch, and decoded once."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flamingo.data.collection.clips import decoding
from flamingo.data.collection.clips.decoding import ClipFrames, clip_frames
from flamingo.data.collection.clips.lines import Clip
from flamingo.data.collection.clips.packing import packed
from flamingo.data.files import load_visual
from flamingo.foundation.errors import FlamingoError, MediaError
from tests.data.media_for_tests import gray, write_empty_video, write_video

RISING = range(0, 240, 3)
"""Grays of 80 frames: 10 s at 8 frames per second."""


def frames_of(source: Path | bytes, *clips: Clip, **settings: Any) -> list[ClipFrames]:
    chosen = {
        "fps": 1.0,
        "longest_side": 64,
        "quality": 90,
        "max_whole_seconds": 60.0,
        **settings,
    }
    return list(clip_frames(source, clips, **chosen))


def span(start: float, end: float | None) -> Clip:
    return Clip(float(start), None if end is None else float(end), "text")


def grays(frames: ClipFrames) -> list[float]:
    return [float(np.asarray(Image.open(io.BytesIO(one))).mean()) for one in frames.pictures]


def close(found: list[float], expected: list[float]) -> bool:
    return len(found) == len(expected) and all(
        abs(a - b) <= 3 for a, b in zip(found, expected, strict=True)
    )


def as_loaded(path: Path, start: float, end: float, fps: float) -> list[float]:
    visual = load_visual(path, fps=fps, max_frames=100, start=start, end=end)
    return [float(frame.mean()) for frame in visual.frames]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
@pytest.mark.parametrize("fps", [1.0, 0.5, 3.0])
def test_frames_are_those_that_trainings_would_take(tmp_path: Path, name: str, fps: float) -> None:
    path = write_video(tmp_path / name, RISING)
    stretches = [(0.0, 4.0), (2.3, 9.0), (4.0, 6.5), (9.9, 10.0)]
    found = frames_of(path, *[span(*one) for one in stretches], fps=fps)
    assert sorted(one.number for one in found) == [0, 1, 2, 3]
    for one in found:
        assert close(grays(one), as_loaded(path, *stretches[one.number], fps)), one
        assert one.num_damaged == one.num_missing == 0


def test_clips_come_when_they_are_complete(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", RISING)
    found = frames_of(path, span(5, 9), span(0, 10), span(1, 3))
    assert [one.number for one in found] == [2, 0, 1]


def test_frames_that_depend_on_later_ones(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", RISING, codec="libx264")
    [found] = frames_of(path, span(3, 8))
    assert close(grays(found), as_loaded(path, 3, 8, 1.0))


def test_frames_of_any_duration(tmp_path: Path) -> None:
    stamps = [0.0, 0.1, 0.2, 3.0, 3.5, 7.9, 8.0]
    path = write_video(tmp_path / "a.mkv", [10, 20, 30, 60, 90, 120, 200], stamps=stamps)
    [found] = frames_of(path, span(0, 8))
    assert close(grays(found), [10, 30, 30, 60, 87, 87, 87, 87])
    assert close(grays(found), as_loaded(path, 0, 8, 1.0))


def test_videos_that_do_not_start_at_zero(tmp_path: Path) -> None:
    stamps = [5 + number / 8 for number in range(80)]
    path = write_video(tmp_path / "a.mkv", RISING, stamps=stamps)
    [found] = frames_of(path, span(2, 6))
    assert close(grays(found), as_loaded(path, 2, 6, 1.0))


def write_shaped(path: Path, rotation: int = 0, size: tuple[int, int] = (96, 64)) -> Path:
    """A video with a bright left half."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=4)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        pixels = gray(20, *size)
        pixels[:, : size[0] // 2] = 220
        for position in range(16):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = position, Fraction(1, 4)
            if rotation:
                frame.rotation = rotation
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_pictures_have_the_size_that_is_wanted(tmp_path: Path) -> None:
    path = write_shaped(tmp_path / "a.mp4", size=(192, 128))
    [found] = frames_of(path, span(0, 3), longest_side=48)
    assert (found.width, found.height) == (48, 32)
    picture = Image.open(io.BytesIO(found.pictures[0]))
    assert picture.size == (48, 32)
    [small] = frames_of(path, span(0, 3), longest_side=500)
    assert (small.width, small.height) == (192, 128)


def test_rotated_videos_stand_upright(tmp_path: Path) -> None:
    upright = write_shaped(tmp_path / "a.mp4")
    content = upright.read_bytes()
    # The matrix of the track is how phones note rotation; this one turns by 90 degrees.
    identity = b"".join(n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    one = 1 << 16
    turned = b"".join(
        n.to_bytes(4, "big", signed=True) for n in (0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    )
    track = content.index(b"tkhd")
    place = content.index(identity, track)
    path = tmp_path / "b.mp4"
    path.write_bytes(content[:place] + turned + content[place + 36 :])
    [found] = frames_of(path, span(0, 3))
    expected = load_visual(path, fps=1.0)
    assert (found.width, found.height) == (43, 64) != (expected.width, 0)
    assert expected.height > expected.width
    shown = np.asarray(Image.open(io.BytesIO(found.pictures[0])).convert("L")).astype(int)
    reference = expected.frames[0].mean(-1)
    top_is_bright = reference[:20].mean() > reference[-20:].mean()
    assert (shown[:20].mean() > shown[-20:].mean()) == top_is_bright


def test_a_video_that_ends_early(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", RISING)
    found = {one.number: one for one in frames_of(path, span(6, 14), span(11, 20), span(2, 4))}
    assert [len(found[number].pictures) for number in range(3)] == [4, 0, 2]
    assert [found[number].num_missing for number in range(3)] == [4, 9, 0]


@pytest.mark.parametrize(("num_frames", "expected"), [(80, 10), (1, 1), (81, 11), (84, 11)])
def test_a_whole_video_is_taken_to_its_end(tmp_path: Path, num_frames: int, expected: int) -> None:
    path = write_video(tmp_path / "a.mp4", [100] * num_frames)
    [found] = frames_of(path, span(0, None))
    assert len(found.pictures) == expected == load_visual(path, fps=1.0).num_frames
    assert found.num_missing > 0
    if num_frames > 1:
        [longer] = frames_of(path, span(0, None), max_whole_seconds=9.0)
        assert longer.num_missing == 0


def test_bytes_are_a_video_too(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", RISING)
    assert frames_of(path.read_bytes(), span(1, 5)) == frames_of(path, span(1, 5))


def jpeg(value: int, width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(gray(value, width, height)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def damaged(*numbers: int) -> bytes:
    """A video of single JPEG pictures, of which some cannot be decoded."""
    content = bytearray(packed([jpeg(value, 64, 48) for value in RISING], 64, 48, 8.0))
    starts = [n for n in range(len(content)) if content.startswith(b"\xff\xd8\xff", n)]
    assert len(starts) == 80
    for number in numbers:
        length = starts[number + 1] - starts[number]
        content[starts[number] : starts[number + 1]] = b"?" * length
    return bytes(content)


def test_damage_costs_the_clips_that_it_touches() -> None:
    # Seconds 0, 1, 2, … are frames 0, 8, 16, …
    clips = [span(0, 4), span(3, 8), span(6, 9)]
    whole = {one.number: one for one in frames_of(damaged(), *clips)}
    found = {one.number: one for one in frames_of(damaged(40, 41), *clips)}
    assert [found[number].num_damaged for number in range(3)] == [0, 1, 0]
    assert [len(found[number].pictures) for number in range(3)] == [4, 4, 3]
    assert (found[0], found[2]) == (whole[0], whole[2])
    # What nobody wants may be damaged.
    assert frames_of(damaged(35, 36), *clips) == list(whole.values())


def test_times_stay_where_the_beginning_is_damaged() -> None:
    clips = [span(0, 3), span(2, 6)]
    before, behind = frames_of(damaged(*range(10)), *clips)
    assert (before.num_damaged, len(before.pictures)) == (2, 1)
    assert behind == frames_of(damaged(), *clips)[1]


def test_a_video_that_is_damaged_throughout_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    content = damaged(*range(20))
    assert frames_of(content, span(5, 8))[0].num_damaged == 0
    monkeypatch.setattr(decoding, "MAX_DAMAGED", 10)
    assert frames_of(content, span(5, 8))[0].num_damaged == 3


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    for content, message in [
        (b"no video at all", "no video that can be read here"),
        (b"", "no video that can be read here"),
        (write_empty_video(tmp_path / "empty.mkv").read_bytes(), "0 frames"),
        (sound(tmp_path / "sound.mp4").read_bytes(), "no video in it"),
    ]:
        with pytest.raises(MediaError, match=message):
            frames_of(content, span(0, 5))


def sound(path: Path) -> Path:
    """A file with a second of silence, and no video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_small_file_with_endless_frames_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_PIXELS_DECODED", 64 * 48 * 20)
    path = write_video(tmp_path / "a.mp4", RISING)
    chosen = {"fps": 1.0, "longest_side": 64, "quality": 90, "max_whole_seconds": 60.0}
    frames = clip_frames(path, [span(0, 2), span(0, 5)], **chosen)  # type: ignore[arg-type]
    assert next(frames).number == 0
    with pytest.raises(MediaError, match="more than 61,440 pixels in all"):
        next(frames)


@settings(max_examples=60)
@given(st.integers(0, 1500), st.integers(0, 1500), st.binary(max_size=16))
def test_cut_and_overwritten_videos_give_clips_or_our_errors(
    tmp_path_factory: pytest.TempPathFactory, cut: int, at: int, junk: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any_video"
    folder.mkdir(exist_ok=True)
    for name in ("a.mp4", "a.mkv", "a.avi"):
        path = folder / name
        if not path.exists():
            write_video(path, RISING[:24])
        content = bytearray(path.read_bytes())
        content[at : at + len(junk)] = junk
        try:
            found = frames_of(bytes(content[: len(content) - cut]), span(0, 2), span(1, None))
        except FlamingoError:
            continue
        for one in found:
            assert len(one.pictures) + one.num_damaged + one.num_missing >= 1


@pytest.mark.parametrize("fps", [1.0, 0.5, 2.0, 29.97, 1 / 3])
@pytest.mark.parametrize("size", [(64, 48), (33, 47), (1, 1)])
def test_what_is_packed_is_read(fps: float, size: tuple[int, int]) -> None:
    values = [0, 50, 100, 150, 255]
    content = packed([jpeg(value, *size) for value in values], *size, fps)
    visual = load_visual(content, fps=fps, max_frames=50)
    assert (visual.width, visual.height) == size
    assert close([float(frame.mean()) for frame in visual.frames], [float(v) for v in values])
    assert packed([jpeg(value, *size) for value in values], *size, fps) == content
    assert b"Lavf" not in content
