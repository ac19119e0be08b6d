from __future__ import annotations

import asyncio
import base64
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from flamingo.data import FlamingoImageProcessor
from flamingo.foundation.errors import ConfigError, FlamingoError, MediaError
from flamingo.serving.errors import TooLarge
from flamingo.serving.limits import Limits
from flamingo.serving.media import MediaRequest
from tests.data.media_for_tests import jpeg_bytes, write_gif, write_video

from .media_reading import read, read_all, reader_of

JPEG = jpeg_bytes()


def url_of(content: bytes, kind: str = "image/jpeg") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize("reading", ["upright", "open_clip", "idefics"])
def test_a_picture_is_read_as_the_model_reads_it(reading: str) -> None:
    reader = reader_of(reading=reading)
    expected = reader._image_processor.load(JPEG).fingerprint()
    for source in (JPEG, url_of(JPEG), "DATA:" + url_of(JPEG)[5:], url_of(JPEG, "text/html")):
        (visual,) = read_all(reader, [MediaRequest(source)])
        assert visual.fingerprint() == expected


def test_visuals_come_in_the_order_asked_for() -> None:
    others = [jpeg_bytes(width, 40) for width in (10, 20, 30)]
    visuals = read_all(reader_of(), [MediaRequest(one) for one in others])
    assert [visual.width for visual in visuals] == [10, 20, 30]


def test_frames_of_a_clip(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mp4", range(0, 200, 5), fps=4).read_bytes()
    assert read(clip).num_frames == 10
    assert read(clip, fps=2.0).num_frames == 20
    assert read(clip, num_frames=3).num_frames == 3
    assert read(clip, fps=4.0, max_frames=5).num_frames == 5
    assert read(clip, Limits(frames=4), max_frames=30).num_frames == 4
    assert read(clip, Limits(frames=4)).num_frames == 4


@pytest.mark.parametrize(
    "settings",
    [
        {"fps": 0.0},
        {"fps": -1.0},
        {"fps": float("nan")},
        {"fps": float("inf")},
        {"fps": 1e9},
        {"num_frames": 0},
        {"num_frames": -3},
        {"max_frames": 0},
    ],
)
def test_impossible_frames(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        read(JPEG, **settings)


def test_more_frames_than_allowed() -> None:
    with pytest.raises(TooLarge, match="num_frames=33 is more than the limit of 32"):
        read(JPEG, num_frames=33)


def test_what_is_expected(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mp4", [0, 50], fps=1).read_bytes()
    one_frame = write_video(tmp_path / "b.mp4", [0], fps=1).read_bytes()
    gif = write_gif(tmp_path / "a.gif", [0, 50], 1000).read_bytes()
    assert read(clip, kind="video").num_frames == 2
    assert read(one_frame, kind="video").num_frames == 1
    assert read(gif, kind="video", num_frames=1).num_frames == 1
    assert read(gif, kind="image").num_frames == 2
    with pytest.raises(MediaError, match="video, but an image was expected"):
        read(clip, kind="image")
    with pytest.raises(MediaError, match="picture, but a video was expected"):
        read(JPEG, kind="video")


def test_what_was_read_once_is_still_checked(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mp4", [0, 50], fps=1).read_bytes()
    reader = reader_of(Limits(request_pixels=3 * 2 * 64 * 48))
    once = MediaRequest(clip, kind="video")
    (first,) = read_all(reader, [once])
    (again,) = read_all(reader, [once])
    assert again is first
    with pytest.raises(MediaError, match="an image was expected"):
        read_all(reader, [MediaRequest(clip, kind="image")])
    with pytest.raises(TooLarge, match="left to this request"):
        read_all(reader, [once] * 4)


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "etc/passwd",
        "~",
        "",
        ".",
        "C:\\a.png",
        "\\\\host\\share",
        "\ud800",
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        "ftp://example.org/a.png",
        "//example.org/a",
        "javascript:alert(1)",
        "blob:https://a/b",
        "pipe:0",
        "concat:a|b",
        "http:/a",
        "  data:,",
    ],
)
def test_only_files_that_are_sent_are_read(source: str) -> None:
    with pytest.raises(MediaError, match="neither a data: URL nor"):
        read(source)


def test_a_path_is_not_read_even_if_there_is_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    monkeypatch.chdir(tmp_path)
    for source in ("a.jpg", str(tmp_path / "a.jpg"), f"file://{tmp_path}/a.jpg"):
        with pytest.raises(MediaError, match="neither a data: URL nor"):
            read(source)


def test_urls_are_not_fetched_by_default() -> None:
    for url in ("https://example.org/a.png", "HTTP://127.0.0.1/"):
        with pytest.raises(MediaError, match="fetches no URLs"):
            read(url)


def test_an_error_names_the_field() -> None:
    reader = reader_of()
    requests = [MediaRequest(JPEG, param="query"), MediaRequest(b"no", param="supports[1].visual")]
    with pytest.raises(MediaError) as caught:
        read_all(reader, requests)
    assert vars(caught.value)["param"] == "supports[1].visual"


def test_limits_of_a_request() -> None:
    with pytest.raises(TooLarge, match="3 visuals, more than the limit of 2"):
        read_all(reader_of(Limits(visuals=2)), [MediaRequest(JPEG)] * 3)
    with pytest.raises(TooLarge, match="left to this request"):
        read_all(reader_of(Limits(request_pixels=5 * 64 * 48)), [MediaRequest(JPEG)] * 6)
    assert len(read_all(reader_of(Limits(request_pixels=5 * 64 * 48)), [MediaRequest(JPEG)] * 5))
    for source in (JPEG, url_of(JPEG)):
        with pytest.raises(TooLarge, match="bytes, more than the limit of 1,000"):
            read(source, Limits(visual_bytes=1000))
    assert read_all(reader_of(), []) == []


def test_the_event_loop_stays_free() -> None:
    async def scenario() -> tuple[int, int]:
        reader, beats = reader_of(), 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0.001)

        beating = asyncio.create_task(beat())
        many = [MediaRequest(jpeg_bytes(900, 700 + i)) for i in range(4)]
        visuals = await reader.read(many)
        beating.cancel()
        return len(visuals), beats

    num_visuals, beats = asyncio.run(scenario())
    assert num_visuals == 4
    assert beats > 2


class SlowProcessor(FlamingoImageProcessor):
    """Takes the first look at the clock after the caller has left."""

    started = threading.Event()
    has_ended = threading.Event()

    def load(self, source: object, **sampling: object) -> object:  # type: ignore[override]
        self.started.set()
        bounds = sampling["bounds"]
        try:
            for _ in range(1000):
                bounds.check_time()  # type: ignore[attr-defined]
                time.sleep(0.005)
        except FlamingoError:
            self.has_ended.set()
            raise
        raise AssertionError("the work went on")


def test_who_leaves_ends_the_work() -> None:
    async def scenario() -> None:
        reader = reader_of()
        reader._image_processor = SlowProcessor()
        task = asyncio.create_task(reader.read([MediaRequest(JPEG)]))
        while not SlowProcessor.started.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while not SlowProcessor.has_ended.is_set():
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(scenario(), 5))


def test_time_is_limited(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mp4", np.arange(3000) % 250, fps=30).read_bytes()
    with pytest.raises(TooLarge, match=r"longer than 0\.01 s"):
        read(clip, Limits(decode_seconds=0.01))
