"""Prompts for comparing two models: rows of words and images, ragged and padded on the left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

SIZE = 28

CASES = {
    "one image": ["iwwww"],
    "several images": ["iwwwiwwwiww"],
    "images in a row": ["iiiwwwiiww"],
    "text before the first image": ["wwwiwwiww"],
    "no image": ["wwwwww", "www"],
    "ragged": ["iww", "wwiwwiiww", "wwww", "iwwwiwww"],
}
"""w is a word and i an image."""


@dataclass(frozen=True)
class Prompts:
    """A batch of prompts.

    Attributes:
        input_ids: [batch, tokens].
        attention_mask: 0 for padding.
        visual_index: per token the number of the last image up to it; 0 for none.
        pixels: [batch, images, 3, height, width], zeros where a row has fewer; `None` if no row
            has one.
        is_image: which of them are images.
    """

    input_ids: Tensor
    attention_mask: Tensor
    visual_index: Tensor
    pixels: Tensor | None
    is_image: Tensor

    @property
    def is_text(self) -> Tensor:
        """Which positions are no padding."""
        return self.attention_mask.bool()

    def for_ours(self) -> dict[str, Any]:
        """The arguments of our model; none of visuals where there are none."""
        text = {"input_ids": self.input_ids, "attention_mask": self.attention_mask}
        if self.pixels is None:
            return text
        visuals = {"pixel_values": self.pixels[:, :, None], "frame_mask": self.is_image[..., None]}
        return {**text, "visual_index": self.visual_index, **visuals}

    def for_open_flamingo(self) -> dict[str, Any]:
        """The arguments of OpenFlamingo's model."""
        text = {"input_ids": self.input_ids, "attention_mask": self.attention_mask}
        return text if self.pixels is None else {**text, "vision_x": self.pixels[:, :, None]}

    def for_idefics(self) -> dict[str, Any]:
        """The arguments of IDEFICS' model, which needs an image even where no token sees one."""
        pixels = self.pixels
        if pixels is None:
            pixels = torch.zeros(len(self.input_ids), 1, 3, SIZE, SIZE)
        # A column for each image behind the one for none.
        seen = one_hot(self.visual_index, pixels.shape[1] + 1)[..., 1:]
        return {
            "input_ids": self.input_ids,
            "attention_mask": self.attention_mask,
            "pixel_values": pixels,
            "image_attention_mask": seen,
        }


def prompts(
    rows: Sequence[str],
    special: Mapping[str, int],
    *,
    words: range,
    pad: int,
    ends_document: str = "",
    seed: int = 0,
) -> Prompts:
    """A padded batch of `rows`.

    Args:
        rows: a letter for each token.
        special: the id of each letter that is not "w"; "i" is an image.
        words: the ids that "w" is drawn from.
        pad: id of padding.
        ends_document: a letter after which no image is seen until the next one.
        seed: of words and pixels.
    """
    generator = torch.Generator().manual_seed(seed)
    length, images = max(map(len, rows)), max(row.count("i") for row in rows)
    ids = torch.full((len(rows), length), pad)
    mask, index = torch.zeros_like(ids), torch.zeros_like(ids)
    pixels = torch.zeros(len(rows), images, 3, SIZE, SIZE)
    is_image = torch.zeros(len(rows), images, dtype=torch.bool)
    for number, row in enumerate(rows):
        num_seen, sees = 0, 0
        for place, letter in enumerate(row, start=length - len(row)):
            if letter == "i":
                pixels[number, num_seen].normal_(generator=generator)
                is_image[number, num_seen] = True
                num_seen = sees = num_seen + 1
            elif letter == ends_document:
                sees = 0
            word = int(torch.randint(words.start, words.stop, (1,), generator=generator))
            ids[number, place] = special.get(letter, word)
            mask[number, place], index[number, place] = 1, sees
    return Prompts(ids, mask, index, pixels if images else None, is_image)
