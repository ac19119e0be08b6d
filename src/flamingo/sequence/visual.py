"""An image or a video, as pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from flamingo.foundation.errors import MediaError

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Visual:
    """One image or one video; an image is a video of one frame.

    Args:
        frames: uint8 pixels `[frames, height, width, 3]`, red, green, blue. The visual keeps a
            read-only view of them.

    Raises:
        MediaError: there is no frame, a side is empty, or type or shape are others.
    """

    frames: npt.NDArray[Any]

    def __post_init__(self) -> None:
        _check_frames(self.frames)
        view = self.frames.view()
        view.flags.writeable = False
        object.__setattr__(self, "frames", view)

    @classmethod
    def from_image(cls, image: Image.Image | npt.NDArray[Any]) -> Visual:
        """One still picture, of any Pillow mode, or an array `[height, width(, 1, 3 or 4)]`.

        The rotation that a camera noted is applied; what is transparent becomes white.

        Raises:
            MediaError: the picture is damaged, or the array is not uint8 pixels.
        """
        return cls(_rgb(image)[None])

    @classmethod
    def from_frames(
        cls, frames: Sequence[Image.Image | npt.NDArray[Any]] | npt.NDArray[Any]
    ) -> Visual:
        """A video from its frames in order, all of one size.

        Raises:
            MediaError: there is no frame, or the sizes differ.
        """
        if len(frames) == 0:
            raise MediaError(
                "the video has 0 frames.\nA visual needs at least one frame to look at."
            )
        pictures = [_rgb(frame) for frame in frames]
        for number, picture in enumerate(pictures):
            if picture.shape != pictures[0].shape:
                raise MediaError(
                    f"frame {number} is {_size(picture)} but frame 0 is {_size(pictures[0])}.\n"
                    "All frames of one video must have one size. Resize them first."
                )
        return cls(np.stack(pictures))

    @property
    def num_frames(self) -> int:
        """How many frames there are; 1 for an image."""
        return int(self.frames.shape[0])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.frames.shape[1])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.frames.shape[2])

    @property
    def is_video(self) -> bool:
        """Whether there is more than one frame."""
        return self.num_frames > 1

    def fingerprint(self) -> str:
        """A hash of the content: equal pixels, equal fingerprint."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.blake2b(repr(self.frames.shape).encode(), digest_size=16)
        digest.update(np.ascontiguousarray(self.frames).data)
        return digest.hexdigest()

    def __repr__(self) -> str:
        frames = f", {self.num_frames} frames" if self.is_video else ""
        return f"Visual({self.width}x{self.height}{frames})"


def _check_frames(frames: object) -> None:
    if not isinstance(frames, np.ndarray) or frames.dtype != np.uint8:
        kind = frames.dtype if isinstance(frames, np.ndarray) else type(frames).__name__
        raise MediaError(
            f"frames must be a numpy array of uint8, not {kind}.\n"
            "Values run from 0 to 255; for floats from 0 to 1 write "
            "`(frames * 255).round().astype('uint8')`."
        )
    if frames.ndim != 4 or frames.shape[3] != 3:
        raise MediaError(
            f"frames have the shape {list(frames.shape)}, expected [frames, height, width, 3].\n"
            "Use `Visual.from_image` for one picture and `Visual.from_frames` for a video."
        )
    if 0 in frames.shape:
        raise MediaError(
            f"frames have the shape {list(frames.shape)}: there is nothing to look at.\n"
            "A visual needs at least one frame of at least one pixel."
        )


def _rgb(image: object) -> Pixels:
    if isinstance(image, Image.Image):
        return _rgb_of_picture(image)
    if isinstance(image, np.ndarray):
        return _rgb_of_array(image)
    raise MediaError(
        f"a {type(image).__name__} is not a picture.\n"
        "Give a Pillow image or a numpy array; `flamingo.data.load_visual` reads files."
    )


def _rgb_of_picture(image: Image.Image) -> Pixels:
    try:
        image.load()
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I") or upright.mode == "F":
            return _rgb_of_array(_eight_bits(np.asarray(upright)))
        if upright.has_transparency_data:
            return _over_white(np.asarray(upright.convert("RGBA")))
        return np.array(upright.convert("RGB"))
    except MediaError:
        raise
    except Exception as error:  # a decoder of a damaged file may raise of any kind
        raise MediaError(
            f"the picture cannot be decoded: {error}.\nIt is damaged or incomplete. Save it anew."
        ) from error


def _rgb_of_array(pixels: npt.NDArray[Any]) -> Pixels:
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim == 3 and pixels.shape[2] in (1, 4) and pixels.dtype == np.uint8:
        pixels = _over_white(pixels) if pixels.shape[2] == 4 else np.repeat(pixels, 3, axis=2)
    _check_frames(pixels[None])
    return pixels


def _eight_bits(pixels: npt.NDArray[Any]) -> Pixels:
    """Gray values of 16 or 32 bits, brought to 8: pictures of that kind use up to 16 bits."""
    values = np.clip(np.nan_to_num(pixels.astype(np.float64)), 0, 65535)
    return np.round(values / 257 if values.max(initial=0) > 255 else values).astype(np.uint8)


def _over_white(rgba: Pixels) -> Pixels:
    color = rgba[..., :3].astype(np.uint16)
    opacity = rgba[..., 3:].astype(np.uint16)
    return ((color * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)


def _size(picture: Pixels) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"
