"""Draws scenes and clips as pixels, each time a little differently."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flamingo.miniature.outlines import OUTLINES, PATTERNS, Plane
from flamingo.miniature.scene import GROWTH, TRAVEL, Clip, Motion, Scene, Succession, Thing

Pixels = NDArray[np.uint8]

FRAMES_PER_CLIP = 8

RGB = {
    "red": (222, 36, 40),
    "green": (36, 168, 56),
    "blue": (40, 72, 232),
    "yellow": (244, 220, 36),
    "purple": (142, 48, 190),
    "orange": (246, 134, 18),
    "cyan": (36, 208, 224),
    "pink": (252, 142, 192),
    "black": (14, 14, 16),
    "white": (242, 242, 240),
    "gray": (128, 128, 130),
    "brown": (98, 62, 36),
}

_REACH = 1.25  # no shape goes further from its center, in radii
_DARK = 0.45  # brightness of a texture's dark parts
_MAX_ROTATION = 0.16  # radians
_SHADE = 14.0  # largest change of a color channel
_NOISE_BITS = 15  # noise per pixel is uniform on about +-7


@dataclass(frozen=True)
class _Look:
    """What varies from drawing to drawing of one thing, but not from frame to frame."""

    light: Plane
    dark: Plane
    rotation: float
    scale: float
    shift: tuple[float, float]
    phase: tuple[float, float]

    @classmethod
    def random(cls, thing: Thing, rng: np.random.Generator) -> _Look:
        draws = rng.random(9)
        light = _shaded(thing.color, draws[:3])
        rotation, scale, dx, dy, px, py = (2 * draws[3:] - 1).tolist()
        return cls(
            light=light,
            dark=light * np.float32(_DARK),
            rotation=rotation * _MAX_ROTATION,
            scale=1.0 + 0.05 * scale,
            shift=(0.008 * dx, 0.008 * dy),
            phase=(4.0 * px, 4.0 * py),
        )


def render_scene(scene: Scene, rng: np.random.Generator, size: int = 64) -> Pixels:
    """Draws a scene as [size, size, 3]; shades, rotation, place and noise vary with `rng`."""
    canvas = _background(scene.background, rng, size)
    for thing in scene.things:
        _draw(canvas, thing, _Look.random(thing, rng), thing.x, thing.y, thing.radius)
    return _developed(canvas, rng)


def render_clip(clip: Clip, rng: np.random.Generator, size: int = 64) -> Pixels:
    """Draws a clip as [8, size, size, 3]; only the place or the size changes between frames."""
    (thing,) = clip.scene.things
    background = _background(clip.scene.background, rng, size)
    look = _Look.random(thing, rng)
    frames = np.empty((FRAMES_PER_CLIP, size, size, 3), np.uint8)
    for i in range(FRAMES_PER_CLIP):
        canvas = background.copy()
        dx, dy, scale = _moved(clip.motion, i / (FRAMES_PER_CLIP - 1) - 0.5)
        _draw(canvas, thing, look, thing.x + dx, thing.y + dy, thing.radius * scale)
        frames[i] = _developed(canvas, rng)
    return frames


def render_succession(succession: Succession, rng: np.random.Generator, size: int = 64) -> Pixels:
    """Draws a succession as [8, size, size, 3]; a thing that changes keeps its turn and texture."""
    background = _background(succession.background, rng, size)
    look = _Look.random(succession.first, rng)
    other = _Look.random(succession.second, rng)
    if succession.changed:
        other = replace(look, light=other.light, dark=other.dark)
    frames = np.empty((FRAMES_PER_CLIP, size, size, 3), np.uint8)
    for i in range(FRAMES_PER_CLIP):
        is_first = i < FRAMES_PER_CLIP // 2
        thing = succession.first if is_first else succession.second
        canvas = background.copy()
        _draw(canvas, thing, look if is_first else other, thing.x, thing.y, thing.radius)
        frames[i] = _developed(canvas, rng)
    return frames


def _moved(motion: Motion, time: float) -> tuple[float, float, float]:
    """The shift in x and y and the factor of size at `time`, from -0.5 to 0.5."""
    way = TRAVEL * time
    shifts = {"left": (-way, 0.0), "right": (way, 0.0), "up": (0.0, -way), "down": (0.0, way)}
    sign = {"growing": 2.0, "shrinking": -2.0}.get(motion, 0.0)
    return *shifts.get(motion, (0.0, 0.0)), GROWTH ** (sign * time)


def _shaded(color: str, draws: NDArray[np.float64]) -> Plane:
    shade = np.array(RGB[color]) + (2 * draws - 1) * _SHADE
    return shade.astype(np.float32)


def _background(color: str, rng: np.random.Generator, size: int) -> Plane:
    canvas = np.empty((size, size, 3), np.float32)
    canvas[:] = _shaded(color, rng.random(3))
    return canvas


def _developed(canvas: Plane, rng: np.random.Generator) -> Pixels:
    noise = np.frombuffer(rng.bytes(canvas.size), np.uint8).reshape(canvas.shape) & _NOISE_BITS
    canvas += noise
    canvas -= np.float32(_NOISE_BITS / 2 - 0.5)  # the half rounds what the cast cuts off
    np.clip(canvas, 0, 255, out=canvas)
    return canvas.astype(np.uint8)


def _draw(canvas: Plane, thing: Thing, look: _Look, x: float, y: float, radius: float) -> None:
    """Blends one thing into the canvas; works on the pixels of its bounding box alone."""
    size = canvas.shape[0]
    radius = radius * look.scale * size
    center_x, center_y = (x + look.shift[0]) * size, (y + look.shift[1]) * size
    left, right = _span(center_x, radius, size)
    top, bottom = _span(center_y, radius, size)
    if left >= right or top >= bottom:
        return
    cos, sin = math.cos(look.rotation) / radius, math.sin(look.rotation) / radius
    dx = np.arange(left, right, dtype=np.float32) + np.float32(0.5 - center_x)
    dy = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - center_y)
    u: Plane = dx * np.float32(cos) + dy * np.float32(sin)
    v: Plane = dy * np.float32(cos) - dx * np.float32(sin)

    distance = OUTLINES[thing.shape](u, v)
    cover = np.clip(np.float32(0.5) - distance * np.float32(radius), 0, 1)[..., None]
    paint = _painted(thing.texture, look, u, v, radius, size)
    box = canvas[top:bottom, left:right]
    box += (paint - box) * cover


def _painted(texture: str, look: _Look, u: Plane, v: Plane, radius: float, size: int) -> Plane:
    if texture == "solid":
        return look.light
    to_pixels = np.float32(radius * 64 / size)
    px, py = look.phase
    pattern = PATTERNS[texture](u * to_pixels + np.float32(px), v * to_pixels + np.float32(py))
    darkness = np.clip(pattern * np.float32(2) + np.float32(0.5), 0, 1)[..., None]
    return look.light + (look.dark - look.light) * darkness


def _span(center: float, radius: float, size: int) -> tuple[int, int]:
    reach = _REACH * radius + 1.0
    return max(0, math.floor(center - reach)), min(size, math.ceil(center + reach))
