"""Pictures of every mode, and what the code of released models makes of them."""

from __future__ import annotations

import base64
import io
import warnings

import numpy as np
import torch
from PIL import Image
from torchvision import transforms
from transformers.models.idefics.image_processing_pil_idefics import IdeficsImageProcessorPil

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)

SIZES = [(333, 500), (500, 223), (1, 300), (300, 1), (224, 224), (225, 224), (90, 31), (9, 224)]
"""Width and height: odd ones, extreme ones, of the very size, and smaller both ways."""

KINDS = (
    *("RGB", "L", "LA", "RGBA", "P", "1", "CMYK", "I;16", "I", "F", "YCbCr", "HSV", "LAB"),
    *("RGBX", "PA", "La", "RGBa", "P keyed", "L keyed", "RGB keyed", "P shaded"),
)
"""Modes; "keyed" has one transparent color, "shaded" an alpha for each color of a palette."""

IN_FILES = {
    "PNG": (
        *("RGB", "L", "LA", "RGBA", "P", "1", "I;16"),
        *(f"{m} keyed" for m in ("P", "L", "RGB")),
        "P shaded",
    ),
    "JPEG": ("RGB", "L", "CMYK"),
    "GIF": ("P", "P keyed", "L"),
    "TIFF": ("RGB", "RGBA", "LA", "P", "1", "CMYK", "I;16", "F", "LAB", "YCbCr"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("RGB", "P", "1", "L"),
}


def picture(kind: str, width: int = 61, height: int = 47, seed: int = 0) -> Image.Image:
    """Noise of a mode; half of it is smooth, so that a filter shows."""
    rng = np.random.default_rng(seed)
    mode = kind.split()[0]
    if mode in ("I;16", "I", "F"):
        types = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
        return Image.fromarray(rng.integers(0, 700, (height, width)).astype(types[mode]))
    noise = rng.integers(0, 256, (height, width, 4), np.uint8)
    noise[: height // 2] = np.linspace(0, 255, width).astype(np.uint8)[:, None]
    own = Image.fromarray(noise)
    if mode == "P":
        own = own.convert("RGB").quantize(40)
    elif mode == "PA":
        own = own.convert("RGB").quantize(40).convert("PA")
        own.putalpha(Image.fromarray(noise[..., 3]))
    elif mode in ("LA", "La"):
        own = Image.merge("LA", own.split()[2:]).convert(mode)
    elif mode == "CMYK":
        own = Image.merge("CMYK", own.split())
    elif mode not in ("RGBA", "RGBa"):
        own = own.convert("RGB").convert(mode)
    else:
        own = own.convert(mode)
    if kind.endswith("keyed"):
        own.info["transparency"] = own.getpixel((0, 0))
    if kind.endswith("shaded"):
        own.info["transparency"] = bytes(range(0, 240, 6))
    return own


def stored(
    own: Image.Image, ending: str, orientation: int | None = None, **settings: object
) -> bytes:
    """The bytes of a file of it."""
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        settings["exif"] = exif
    buffer = io.BytesIO()
    if "transparency" in own.info:
        settings["transparency"] = own.info["transparency"]
    own.save(buffer, ending, **settings)
    return buffer.getvalue()


def of_open_clip(own: Image.Image, size: int) -> torch.Tensor:
    """What the transform of open_clip makes of a picture, for CLIP's models."""
    steps = [
        transforms.Resize(size, transforms.InterpolationMode.BICUBIC),
        transforms.CenterCrop(size),
        lambda one: one.convert("RGB"),
        transforms.ToTensor(),
        transforms.Normalize(MEAN, STD),
    ]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Palette images with Transparency")
        return transforms.Compose(steps)(own)


def of_idefics(own: Image.Image | np.ndarray | bytes, size: int) -> torch.Tensor:
    """What transformers' processor of IDEFICS makes of a picture, an array, or a file."""
    if isinstance(own, bytes):
        # A path goes the same way, and is left open.
        own = f"data:image/any;base64,{base64.b64encode(own).decode()}"
    theirs = IdeficsImageProcessorPil(image_size=size)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Palette images with Transparency")
        return theirs(own, return_tensors="pt")[0]
