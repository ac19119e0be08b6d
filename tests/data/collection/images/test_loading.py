from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flamingo.data.collection.images import load_image
from flamingo.data.collection.pages import LoadedImage
from flamingo.data.perceptual_hash import perceptual_hash
from flamingo.sequence import Visual
from tests.data.pictures_for_tests import IN_FILES, picture, stored


def _photo(width: int = 300, height: int = 200) -> Image.Image:
    """A smooth picture of many colors."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - (x + y) / 2], -1).astype(np.uint8))


def _loaded(data: bytes, **settings: int) -> LoadedImage:
    image = load_image(data, **settings)
    assert isinstance(image, LoadedImage), image
    return image


def _pixels(image: LoadedImage) -> np.ndarray:
    with Image.open(io.BytesIO(image.data)) as written:
        assert {"jpg": "JPEG", "png": "PNG"}[image.ending] == written.format
        assert written.size == (image.width, image.height)
        return np.asarray(written.convert("RGB")).astype(int)


def test_a_photo_becomes_a_small_jpeg() -> None:
    image = _loaded(stored(_photo(1200, 800), "PNG"))
    assert (image.ending, image.width, image.height) == ("jpg", 512, 341)
    assert (image.original_width, image.original_height) == (1200, 800)
    expected = np.asarray(_photo(1200, 800).resize((512, 341), Image.Resampling.LANCZOS))
    assert np.abs(_pixels(image) - expected).mean() < 2
    assert image.thumbnail.shape == (43, 64, 3)
    assert image.thumbnail.dtype == np.uint8


def test_graphics_of_few_colors_become_png_without_loss() -> None:
    rng = np.random.default_rng(0)
    pixels = np.kron(rng.integers(0, 3, (20, 30, 3)) * 100, np.ones((10, 10, 1))).astype(np.uint8)
    image = _loaded(stored(Image.fromarray(pixels), "BMP"))
    assert image.ending == "png"
    assert np.array_equal(_pixels(image), pixels)


@pytest.mark.parametrize(
    ("kind", "form"), [(kind, form) for form, kinds in IN_FILES.items() for kind in kinds]
)
def test_every_form_and_mode_is_read_as_trainings_read_it(kind: str, form: str) -> None:
    data = stored(picture(kind), form)
    with Image.open(io.BytesIO(data)) as opened:
        visual = Visual.from_image(opened)
    image = _loaded(data, quality=95)
    assert (image.width, image.height) == (61, 47)
    assert image.perceptual_hash == perceptual_hash(visual)
    # Colors of noise are stored at half the size.
    gray = np.asarray(Image.fromarray(visual.frames[0]).convert("L")).astype(int)
    written = np.asarray(Image.fromarray(_pixels(image).astype(np.uint8)).convert("L")).astype(int)
    assert np.abs(written - gray).mean() < 8


def test_the_same_bytes_give_the_same_file() -> None:
    data = stored(_photo(700, 500), "WEBP")
    first, again = _loaded(data), _loaded(data)
    assert first == again
    assert first.data == again.data
    assert np.array_equal(first.thumbnail, again.thumbnail)


def test_the_sum_is_of_pixels_and_not_of_files() -> None:
    png, bmp = (_loaded(stored(_photo(), form)) for form in ("PNG", "BMP"))
    assert png.sha256 == bmp.sha256
    changed = _photo()
    changed.putpixel((5, 5), (0, 0, 0))
    assert _loaded(stored(changed, "PNG")).sha256 != png.sha256
    turned = Image.fromarray(np.asarray(_photo()).reshape(300, 200, 3))
    assert _loaded(stored(turned, "PNG")).sha256 != png.sha256


def test_a_rotation_that_a_camera_noted_is_applied_and_its_notes_are_gone() -> None:
    image = _loaded(stored(_photo(), "JPEG", orientation=6))
    assert (image.width, image.height, image.original_width) == (200, 300, 200)
    with Image.open(io.BytesIO(image.data)) as written:
        assert not written.getexif()


def test_what_is_transparent_becomes_white() -> None:
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    assert (_pixels(_loaded(stored(clear, "PNG"))) == 255).all()


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "green", "blue")]
    for form in ("GIF", "WEBP", "PNG"):
        data = stored(frames[0], form, save_all=True, append_images=frames[1:], lossless=True)
        assert np.abs(_pixels(_loaded(data))[0, 0] - [255, 0, 0]).max() < 5


def test_a_long_picture_keeps_a_pixel() -> None:
    image = _loaded(stored(_photo(3000, 2), "PNG"))
    assert (image.width, image.height) == (512, 1)
    assert image.thumbnail.shape == (1, 64, 3)


def test_a_picture_of_one_color_has_no_hash() -> None:
    assert _loaded(stored(Image.new("RGB", (50, 50), "gray"), "PNG")).perceptual_hash is None


def _many_passes() -> bytes:
    data = stored(_photo(), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * 200 + data[-2:]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (b"<svg></svg>", "no picture of a known format"),
        (b"GIF89a", "GIF"),
        (stored(_photo(), "PNG")[:500], "cannot be decoded"),
        (stored(_photo(), "JPEG")[:2000], "cannot be decoded"),
        (stored(Image.new("1", (9000, 9000)), "PNG"), "9000x9000"),
        (stored(Image.new("1", (6000, 5000)), "PNG"), "limit of 25,000,000"),
        (_many_passes(), "more than 100 passes"),
    ],
)
def test_what_cannot_be_used_has_a_reason(data: bytes, problem: str) -> None:
    found = load_image(data)
    assert isinstance(found, str)
    assert problem in found
    assert "\n" not in found


SEEDS = [stored(_photo(24, 16), form) for form in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")] + [
    stored(_photo(24, 16), form) for form in ("AVIF", "JPEG2000", "PPM")
]


@given(
    data=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4)), min_size=1, max_size=5),
    end=st.floats(0.1, 1),
)
@settings(max_examples=300, deadline=5000)
def test_changed_files_are_images_or_a_reason(
    data: bytes, changes: list[tuple[float, bytes]], end: float
) -> None:
    changed = bytearray(data[: int(len(data) * end)])
    for place, content in changes:
        start = int(place * len(changed))
        changed[start : start + len(content)] = content
    assert isinstance(load_image(bytes(changed)), LoadedImage | str)


@given(st.binary(max_size=100))
def test_any_bytes_are_an_image_or_a_reason(data: bytes) -> None:
    assert isinstance(load_image(data), LoadedImage | str)
