"""Copies of a picture have one name, whatever file they came in; other pictures have others."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from flamingo.data.pixel_hash import pixels_sha256
from flamingo.sequence import Visual
from tests.evaluation.smooth_pictures import smooth_picture


def stored(picture: Image.Image, kind: str) -> Visual:
    file = io.BytesIO()
    picture.save(file, kind)
    return Visual.from_image(Image.open(io.BytesIO(file.getvalue())))


def test_the_format_makes_no_difference_if_it_loses_nothing() -> None:
    own = pixels_sha256(Visual.from_image(smooth_picture(0)))
    assert {pixels_sha256(stored(smooth_picture(0), kind)) for kind in ("PNG", "BMP")} == {own}
    assert pixels_sha256(stored(smooth_picture(0), "JPEG")) != own
    assert pixels_sha256(Visual.from_image(smooth_picture(1))) != own


def test_the_same_bytes_in_another_shape_are_another_picture() -> None:
    black = [np.zeros(shape, np.uint8) for shape in ((2, 6, 3), (3, 4, 3), (6, 2, 3))]
    assert len({pixels_sha256(Visual.from_image(one)) for one in black}) == 3
