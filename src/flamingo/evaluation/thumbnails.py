"""Visuals as small pictures inside a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

from PIL import Image

from flamingo.sequence import Visual

LARGEST_SIDE = 160


def thumbnails(visuals: Sequence[Visual], largest_side: int = LARGEST_SIDE) -> tuple[str, ...]:
    """JPEG pictures as `data:` URLs: one of each image; first, middle and last frame of a video.

    Args:
        visuals: of a query.
        largest_side: in pixels; what is smaller stays as it is.
    """
    return tuple(
        _url(Image.fromarray(visual.frames[place]), largest_side)
        for visual in visuals
        for place in sorted({0, visual.num_frames // 2, visual.num_frames - 1})
    )


def _url(picture: Image.Image, largest_side: int) -> str:
    picture.thumbnail((largest_side, largest_side))
    buffer = io.BytesIO()
    picture.save(buffer, "jpeg", quality=80, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
