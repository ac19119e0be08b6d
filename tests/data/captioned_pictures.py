"""A folder of small captioned pictures, each color with its own word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

COLORS = {"red": (220, 30, 30), "green": (20, 200, 40), "blue": (30, 40, 230), "white": (240,) * 3}


def write_pictures(folder: Path, num: int = 8, side: int = 20) -> str:
    """Writes `num` pictures with captions and returns the folder, as a path of a data set."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for number in range(num):
        word = list(COLORS)[number % len(COLORS)]
        pixels = np.clip(rng.normal(COLORS[word], 8, (side, side, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}.png")
        (folder / f"{number:03}.txt").write_text(f"a {word} thing")
    return str(folder)
