"""The image half of the processor, in the form that transformers saves and loads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import BaseImageProcessor, BatchFeature

from flamingo.data.batching import stack_visuals
from flamingo.data.files import VisualSource, load_visual
from flamingo.data.transforms import IMAGENET_MEAN, IMAGENET_STD, VisualTransform
from flamingo.foundation.errors import ConfigError


class FlamingoImageProcessor(BaseImageProcessor):
    """Makes `pixel_values` and `frame_mask` of images and videos.

    Args:
        size: side of the square that a vision encoder takes, or `{"height": …, "width": …}`.
        image_mean: per color, from 0 to 1.
        image_std: per color, from 0 to 1.
        kwargs: what transformers itself saves with an image processor.

    Raises:
        ConfigError: the size is not a square.

    Paper: App. A.3.
    """

    def __init__(
        self,
        size: int | dict[str, int] = 224,
        image_mean: Sequence[float] = IMAGENET_MEAN,
        image_std: Sequence[float] = IMAGENET_STD,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.model_input_names = ["pixel_values", "frame_mask"]
        self.size = _square(size)
        self.image_mean = list(image_mean)
        self.image_std = list(image_std)

    @property
    def transform(self) -> VisualTransform:
        """From a visual to its normalized frames."""
        return VisualTransform(self.size["height"], tuple(self.image_mean), tuple(self.image_std))

    def preprocess(  # type: ignore[override]
        self,
        images: VisualSource | Sequence[VisualSource] | Sequence[Sequence[VisualSource]],
        return_tensors: str | None = "pt",
        **sampling: Any,
    ) -> BatchFeature:
        """Loads and transforms visuals.

        Args:
            images: one visual, one per row of the batch, or several per row as nested lists.
            return_tensors: "pt", or "np" for arrays.
            sampling: settings of `load_visual` for videos.

        Raises:
            MediaError: a visual cannot be read.
        """
        rows: Any = images if isinstance(images, list | tuple) else [images]
        visuals = [
            [
                load_visual(source, **sampling)
                for source in (row if isinstance(row, list | tuple) else [row])
            ]
            for row in rows
        ]
        pixel_values, frame_mask = stack_visuals(visuals, self.transform)
        if pixel_values is None:
            return BatchFeature({})
        data = {"pixel_values": pixel_values, "frame_mask": frame_mask}
        return BatchFeature(data, tensor_type=return_tensors)


def _square(size: int | dict[str, int]) -> dict[str, int]:
    sides = {"height": size, "width": size} if isinstance(size, int) else dict(size)
    if set(sides) != {"height", "width"} or sides["height"] != sides["width"]:
        raise ConfigError(
            f"size={size} is not a square.\n"
            'Visuals are fitted into a square. Give its side, or {"height": 224, "width": 224}.'
        )
    return sides
