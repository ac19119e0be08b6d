"""The image half of the processor, in the form that transformers saves and loads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import BaseImageProcessor, BatchFeature

from flamingo.data.batching import stack_visuals
from flamingo.data.files import VisualSource, load_visual
from flamingo.data.readings import picture_reader
from flamingo.data.transforms import IMAGENET_MEAN, IMAGENET_STD, VisualTransform, check_fit
from flamingo.foundation.errors import ConfigError
from flamingo.sequence import Visual


class FlamingoImageProcessor(BaseImageProcessor):
    """Makes `pixel_values` and `frame_mask` of images and videos.

    Args:
        size: side of the square that a vision encoder takes, or `{"height": …, "width": …}`.
        image_mean: per color, from 0 to 1.
        image_std: per color, from 0 to 1.
        fit: how frames come to fit the square: "pad" keeps all of them and their aspect, as in the
            paper; "squash" all of them (IDEFICS); "crop" their middle (OpenFlamingo). See
            `VisualTransform`.
        reading: how pictures of other kinds become red, green and blue: "upright" as people see
            them; "open_clip" and "idefics" as the code of OpenFlamingo and of IDEFICS does. See
            `picture_reader`.
        kwargs: what transformers itself saves with an image processor.

    Raises:
        ConfigError: the size is not a square, there is no such fit or reading, or the two do not go
            together.

    Paper: App. A.3.
    """

    def __init__(
        self,
        size: int | dict[str, int] = 224,
        image_mean: Sequence[float] = IMAGENET_MEAN,
        image_std: Sequence[float] = IMAGENET_STD,
        fit: str = "pad",
        reading: str = "upright",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.model_input_names = ["pixel_values", "frame_mask"]
        self.size = _square(size)
        self.image_mean = list(image_mean)
        self.image_std = list(image_std)
        self.fit = fit
        self.reading = reading
        picture_reader(reading, self.size["height"])
        check_fit(fit)
        if reading == "open_clip" and fit != "crop":
            raise ConfigError(
                f"reading='open_clip' and fit={fit!r} do not go together.\n"
                "That reading resizes the shorter side, as fit='crop' does. "
                "Take that, or another reading."
            )

    @property
    def transform(self) -> VisualTransform:
        """From a visual to its normalized frames."""
        return VisualTransform(
            self.size["height"], tuple(self.image_mean), tuple(self.image_std), self.fit
        )

    def load(self, source: VisualSource, **sampling: Any) -> Visual:
        """Loads a visual as the model that this prepares for reads it.

        Args:
            source: see `load_visual`.
            sampling: settings of `load_visual` for videos.

        Raises:
            MediaError: the visual cannot be read.
            ConfigError: a setting is impossible.
        """
        read = picture_reader(self.reading, self.size["height"])
        return load_visual(source, read_picture=read, **sampling)

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
                self.load(source, **sampling)
                for source in (row if isinstance(row, list | tuple) else [row])
            ]
            for row in rows
        ]
        pixel_values, frame_mask = stack_visuals(visuals, self.transform)
        if pixel_values is None:
            return BatchFeature({})
        data = {"pixel_values": pixel_values, "frame_mask": frame_mask}
        return BatchFeature(data, tensor_type=return_tensors)

    def to_dict(self) -> dict[str, Any]:
        """What is saved; how pixels are kept apart on disk goes by it too."""
        usual = {"fit": "pad", "reading": "upright"}
        # As it was before there was a choice: what was computed then stays of use.
        return {
            name: value
            for name, value in super().to_dict().items()
            if value != usual.get(name, ...)
        }


def _square(size: int | dict[str, int]) -> dict[str, int]:
    sides = {"height": size, "width": size} if isinstance(size, int) else dict(size)
    if set(sides) != {"height", "width"} or sides["height"] != sides["width"]:
        raise ConfigError(
            f"size={size} is not a square.\n"
            'Visuals are fitted into a square. Give its side, or {"height": 224, "width": 224}.'
        )
    return sides
