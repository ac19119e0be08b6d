from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.foundation.errors import MediaError
from flamingo.sequence import Visual
from flamingo.serving.errors import TooLarge
from flamingo.serving.limits import Limits
from flamingo.serving.media import MediaReader, MediaRequest

from .hostile_files import PLAYLISTS, mp4_of_another_file, overlapping_notes, sound_files
from .media_reading import read, read_all, reader_of

KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF", "animated PNG", "animated WEBP")
KINDS += ("GIF", "MP4", "WEBM", "AVI")
LIMITS = Limits(pixels=10**6, request_pixels=10**6, stored_frames=200, decode_seconds=2.0)
IN_OPEN = 0x20

_REACHING = ("open", "socket.connect", "socket.getaddrinfo", "subprocess", "os.system", "os.exec")
_reached: list[tuple[str, Any]] = []
_is_watched = _hook_is_there = False


def _watch(event: str, arguments: Any) -> None:
    if not _is_watched:
        return
    is_code = event == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so"))
    if event.startswith(_REACHING) and not is_code:
        _reached.append((event, arguments))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return sound_files(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def reader(files: dict[str, bytes]) -> Iterator[MediaReader]:
    """What has read each kind once, so that all decoders are loaded."""
    made = reader_of(LIMITS)
    for content in files.values():
        assert read_all(made, [MediaRequest(content)])[0].width <= 64
    yield made
    made.close()


@contextmanager
def nothing_else_reached() -> Iterator[None]:
    """This process opens no file and asks nobody in the meantime."""
    with watched() as reached:
        yield
    assert reached == []


@contextmanager
def watched() -> Iterator[list[tuple[str, Any]]]:
    global _is_watched, _hook_is_there
    if not _hook_is_there:
        # It stays: there is no way to remove one.
        sys.addaudithook(_watch)
        _hook_is_there = True
    _reached.clear()
    _is_watched = True
    try:
        yield _reached
    finally:
        _is_watched = False


def is_refused_or_read(reader: MediaReader, content: bytes) -> None:
    try:
        with nothing_else_reached():
            (visual,) = read_all(reader, [MediaRequest(content)])
    except (MediaError, TooLarge) as error:
        told = str(error)
    else:
        told = ""
        assert isinstance(visual, Visual)
        assert visual.frames.size <= 3 * LIMITS.request_pixels
    assert " at 0x" not in told
    assert "Traceback" not in told


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_cut_short(kind: str, files: dict[str, bytes], reader: MediaReader) -> None:
    content = files[kind]
    for share in range(20):
        is_refused_or_read(reader, content[: len(content) * share // 20])


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12
    ),
    is_in_head=st.booleans(),
)
def test_each_kind_with_other_bytes(
    kind: str,
    changes: list[tuple[float, int]],
    is_in_head: bool,
    files: dict[str, bytes],
    reader: MediaReader,
) -> None:
    content = bytearray(files[kind])
    reach = min(len(content), 200) if is_in_head else len(content)
    for place, value in changes:
        content[int(place * reach)] = value
    is_refused_or_read(reader, bytes(content))


@given(content=st.binary(max_size=400))
@settings(max_examples=60)
def test_bytes_of_any_kind(content: bytes, reader: MediaReader) -> None:
    for head in (b"", b"GIF89a", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"\0\0\0\x18ftyp"):
        is_refused_or_read(reader, head + content)


@given(source=st.text(max_size=60) | st.text(max_size=60).map("data:image/png;base64,{}".format))
@settings(max_examples=150)
def test_texts_of_any_kind(source: str, reader: MediaReader) -> None:
    with nothing_else_reached(), pytest.raises(MediaError) as caught:
        read_all(reader, [MediaRequest(source)])
    # What is told goes into an answer as it is.
    str(caught.value).encode()


def test_the_watch_sees_what_it_should(tmp_path: Path) -> None:
    with watched() as reached:
        (tmp_path / "a").write_bytes(b"")
        with socket.socket() as one, pytest.raises(ConnectionRefusedError):
            one.connect(("127.0.0.1", 1))
    assert [event for event, _ in reached] == ["open", "socket.connect"]


@pytest.mark.parametrize("content", PLAYLISTS)
def test_lists_of_other_files(content: bytes, reader: MediaReader) -> None:
    with nothing_else_reached(), pytest.raises(MediaError, match="neither a picture nor a video"):
        read_all(reader, [MediaRequest(content)])


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux which files are opened")
def test_a_clip_that_refers_to_another_file(tmp_path: Path) -> None:
    target = tmp_path / "target.mp4"
    content = mp4_of_another_file(tmp_path, target)
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    try:
        assert libc.inotify_add_watch(watch, str(target).encode(), IN_OPEN) > 0
        with pytest.raises(MediaError):
            read(content)
        with pytest.raises(BlockingIOError):
            os.read(watch, 4096)
        # A reader that follows references would have opened it.
        path = tmp_path / "refers.mp4"
        path.write_bytes(content)
        follow = {"enable_drefs": "1", "use_absolute_path": "1"}
        with av.open(str(path), format="mov", options=follow) as opened:
            assert opened.streams.video
        assert os.read(watch, 4096)
    finally:
        os.close(watch)


def test_damaged_files_cannot_fill_the_log(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    # Pillow warns of each entry, and notes as an error that there are too many samples.
    entries = (
        struct.pack("<HHII", *one) for one in ((256, 4, 1, 4), (257, 4, 1, 4), (277, 4, 1, 9))
    )
    samples = b"II*\0" + struct.pack("<IH", 8, 3) + b"".join(entries) + bytes(4)
    for content in (overlapping_notes(50), samples):
        with pytest.raises(MediaError):
            read(content)
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_many_threads_at_once(files: dict[str, bytes], reader: MediaReader) -> None:
    failed: list[BaseException] = []

    def work(kind: str) -> None:
        try:
            for _ in range(3):
                assert read(files[kind], LIMITS).width in (16, 32, 64)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(kind,)) for kind in KINDS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not failed
    assert not any(thread.is_alive() for thread in threads)
