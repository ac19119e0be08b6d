"""A name for the pixels of a picture, by which copies are known whatever file they came in."""

from __future__ import annotations

import hashlib

import numpy as np

from flamingo.sequence import Visual


def pixels_sha256(visual: Visual) -> str:
    """The SHA-256 of a picture's size and pixels, or of the first frame's of a video.

    In hexadecimal digits, over a line "WIDTHxHEIGHT" and then red, green and blue of every pixel.
    """
    frame = np.ascontiguousarray(visual.frames[0])
    digest = hashlib.sha256(f"{visual.width}x{visual.height}\n".encode())
    digest.update(frame.data)
    return digest.hexdigest()
