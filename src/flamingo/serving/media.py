"""Reads the images and clips of requests, within the limits and beside the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from flamingo.data import FlamingoImageProcessor
from flamingo.data.bounds import Bounds, Deadline, OverBounds
from flamingo.data.frames import container_of
from flamingo.data.pictures import is_animated, open_picture
from flamingo.foundation.errors import ConfigError, FlamingoError, MediaError
from flamingo.sequence import Visual
from flamingo.serving.data_urls import content_of, is_data_url
from flamingo.serving.errors import TooLarge
from flamingo.serving.limits import Limits
from flamingo.serving.remote import RemoteFiles
from flamingo.serving.visual_cache import VisualCache

_DECODERS = 4
_FETCHERS = 8
_LONGEST_SIDE = 2**16 - 1
_UNPACKED = 20
"""An animation may unpack to this many times what a request may show."""
_MOST_FPS = 1000
_PLACE = re.compile(r" at 0x[0-9A-Fa-f]+")
_SIZE = re.compile(r"^(?=\([\d,]+ bytes\): )")


@dataclass(frozen=True)
class MediaRequest:
    """An image or a clip that is to be read.

    Args:
        source: a `data:` URL, a URL of the web, or the bytes of a file.
        fps: frames per second of a clip that are looked at; 1 if nothing is said.
        num_frames: how many frames of a clip instead, evenly spaced.
        max_frames: where `fps` gives more, this many are taken, evenly spaced; the server's limit
            if nothing is said, and never more than that.
        kind: what is expected: "image" refuses clips but not animated pictures, "video" refuses
            still pictures.
        param: the field of the request; errors carry it as `param`.
    """

    source: str | bytes
    fps: int | float | None = None
    num_frames: int | None = None
    max_frames: int | None = None
    kind: Literal["image", "video", "any"] = "any"
    param: str = ""


class MediaReader:
    """Reads visuals as the served model does.

    The process no longer shows what Pillow warns of: files of others could fill a log with it.

    Args:
        limits: what requests may ask.
        image_processor: of the model.
        remote: fetches URLs of the web; they are refused without it.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        image_processor: FlamingoImageProcessor,
        remote: RemoteFiles | None,
    ) -> None:
        self._limits, self._image_processor = limits, image_processor
        self._remote = RemoteFiles((), limits) if remote is None else remote
        self._cache = VisualCache(limits.visual_cache_bytes)
        warnings.filterwarnings("ignore", module=r"PIL\.")
        logging.getLogger("PIL").setLevel(logging.CRITICAL)
        num_decoders = min(_DECODERS, os.cpu_count() or 1)
        self._decoders = ThreadPoolExecutor(num_decoders, thread_name_prefix="decoding")
        # Others' servers are slow: who waits for them must not keep the rest waiting.
        self._fetchers = ThreadPoolExecutor(_FETCHERS, thread_name_prefix="fetching")

    async def read(self, requests: Sequence[MediaRequest]) -> list[Visual]:
        """Reads all visuals of one request to the server, one after the other.

        When the caller is cancelled, so is the work, at its next look at the clock.

        Raises:
            MediaError: a visual cannot be read, or is not of the kind that was expected.
            TooLarge: one of them, or all together, are over a limit.
            ConfigError: frames are asked for in an impossible way.
        """
        if len(requests) > self._limits.visuals:
            raise TooLarge(
                f"The request has {len(requests)} visuals, more than the limit of "
                f"{self._limits.visuals}.\nLeave some out."
            )
        is_slow = any(isinstance(one.source, str) and _is_web(one.source) for one in requests)
        pool = self._fetchers if is_slow else self._decoders
        deadline = Deadline(self._limits.decode_seconds)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(pool, self._read_all, requests, deadline)
        except asyncio.CancelledError:
            deadline.cut()
            raise

    async def fetch(self, url: str) -> bytes:
        """The file at a URL of the web, as it is.

        Raises:
            MediaError: the address is not allowed, or does not give a file.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._fetchers, self._remote.read, url)

    def close(self) -> None:
        """Takes nothing more; what runs ends by itself."""
        self._decoders.shutdown(wait=False, cancel_futures=True)
        self._fetchers.shutdown(wait=False, cancel_futures=True)

    def _read_all(self, requests: Sequence[MediaRequest], deadline: Deadline) -> list[Visual]:
        deadline.restart()
        left = self._limits.request_pixels
        visuals = []
        for request in requests:
            try:
                visual = self._read_one(request, self._bounds(left, deadline))
            except FlamingoError as error:
                vars(error)["param"] = request.param
                raise
            left -= visual.frames.nbytes // 3
            visuals.append(visual)
        return visuals

    def _read_one(self, request: MediaRequest, bounds: Bounds) -> Visual:
        """One visual; whatever a decoder raises becomes an error of ours."""
        sampling = self._sampling(request)
        try:
            bounds.check_time()
            content = self._content(request.source)
            key = (hashlib.sha256(content).digest(), *sorted(sampling.items()))
            visual = self._cache.get(key)
            if visual is None:
                _refuse_clip(request, content)
                visual = self._image_processor.load(content, **sampling, bounds=bounds)
                self._cache.put(key, visual)
            _check_kind(request, content, visual, bounds)
            bounds.check_shown(visual.num_frames, visual.width, visual.height)
            return visual
        except OverBounds as error:
            raise TooLarge(_told(error)) from error
        except MediaError as error:
            raise MediaError(_told(error)) from error
        except FlamingoError:
            raise
        except MemoryError as error:
            raise TooLarge("the file needs more memory than there is.\nMake it smaller.") from error
        except Exception as error:  # a decoder of a damaged file may raise of any kind
            raise MediaError(
                "the file cannot be decoded.\nIt is damaged or incomplete. Save it anew."
            ) from error

    def _content(self, source: str | bytes) -> bytes:
        if isinstance(source, str):
            if is_data_url(source):
                return content_of(source, self._limits.visual_bytes)
            if _is_web(source):
                return self._remote.read(source)
            # A path must never be opened, however it is written.
            raise MediaError(
                f"{source[:60]!r} is neither a data: URL nor one that begins with https://.\n"
                "Send the file itself: as data:image/png;base64,…, or by POST /v1/files."
            )
        if len(source) > self._limits.visual_bytes:
            raise TooLarge(
                f"the file has {len(source):,} bytes, more than the limit of "
                f"{self._limits.visual_bytes:,}.\nSend a smaller picture or a shorter clip."
            )
        return source

    def _bounds(self, left: int, deadline: Deadline) -> Bounds:
        limits = self._limits
        return Bounds(
            pixels=limits.pixels,
            side=_LONGEST_SIDE,
            stored_frames=limits.stored_frames,
            unpacked_pixels=_UNPACKED * limits.request_pixels,
            shown_pixels=left,
            deadline=deadline,
        )

    def _sampling(self, request: MediaRequest) -> dict[str, Any]:
        """Settings of `FlamingoImageProcessor.load`."""
        most = self._limits.frames
        if request.num_frames is not None and request.num_frames > most:
            raise TooLarge(
                f"num_frames={request.num_frames} is more than the limit of {most}.\nAsk for less."
            )
        if request.fps is not None and not 0 < request.fps <= _MOST_FPS:
            raise ConfigError(f"fps={request.fps} is impossible.\nGive up to {_MOST_FPS}.")
        max_frames = most if request.max_frames is None else min(request.max_frames, most)
        sampling = {"num_frames": request.num_frames, "max_frames": max_frames}
        return sampling if request.fps is None else {**sampling, "fps": request.fps}


def _is_web(source: str) -> bool:
    return source[:8].lower().startswith(("http://", "https://"))


def _refuse_clip(request: MediaRequest, content: bytes) -> None:
    if request.kind == "image" and container_of(content[:16]) is not None:
        raise MediaError("this is a video, but an image was expected.\nSend it as a video_url.")


def _check_kind(request: MediaRequest, content: bytes, visual: Visual, bounds: Bounds) -> None:
    _refuse_clip(request, content)
    if request.kind != "video" or visual.is_video or container_of(content[:16]) is not None:
        return
    # Of an animation only one frame may have been asked for.
    picture = open_picture(bounds.opened(content), bounds)
    if picture is None or not is_animated(picture):
        raise MediaError("this is a picture, but a video was expected.\nSend it as an image_url.")


def _told(error: Exception) -> str:
    """What may be told of an error: no places in memory, which decoders like to name.

    It begins with what it is about: bytes have no name but their size.
    """
    return _SIZE.sub("the file ", _PLACE.sub("", str(error)))
