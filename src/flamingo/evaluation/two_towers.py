"""A contrastively trained model as its users meet it: pictures and texts in, places out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from flamingo.data.captions import CaptionTokenizer
from flamingo.data.transforms import VisualTransform
from flamingo.foundation.devices import pick_device
from flamingo.model.checkpoints.contrastive import TEXT, load_contrastive
from flamingo.model.contrastive import ContrastiveModel
from flamingo.sequence import Visual


@runtime_checkable
class TwoTowers(Protocol):
    """What retrieval and zero-shot classification ask of a model."""

    def visuals(self, visuals: Iterable[Visual]) -> Float[Tensor, "visuals dim"]:
        """Where images and videos lie in the shared space."""
        ...

    def texts(self, texts: Sequence[str]) -> Float[Tensor, "texts dim"]:
        """Where texts lie in the shared space."""
        ...


class ContrastiveEmbedder:
    """Embeds images, videos and texts with a `ContrastiveModel`.

    Args:
        model: both towers; put into evaluation mode.
        tokenizer: the one that the text tower was trained with.
        device: where to compute.
        rows_at_once: how many frames, or texts, go through a tower together.
    """

    def __init__(
        self,
        model: ContrastiveModel,
        tokenizer: CaptionTokenizer,
        *,
        device: str = "auto",
        rows_at_once: int = 64,
    ) -> None:
        self.device = pick_device(device)
        self.model, self.tokenizer = model.to(self.device).eval(), tokenizer
        self.rows_at_once = rows_at_once
        encoder = model.vision_encoder
        self.transform = VisualTransform(encoder.image_size, encoder.mean, encoder.std)

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, device: str = "auto") -> ContrastiveEmbedder:
        """The model that a run of the recipe `contrastive` left in `DIR/model`.

        Raises:
            CheckpointError: the folder holds no such model.
            ConfigError: the tokenizer is not there.
        """
        model = load_contrastive(Path(folder))
        most = model.text_encoder.config.max_position_embeddings
        tokenizer = CaptionTokenizer.from_folder(Path(folder) / TEXT, most)
        return cls(model, tokenizer, device=device)

    @torch.inference_mode()
    def visuals(self, visuals: Iterable[Visual]) -> Float[Tensor, "visuals dim"]:
        """Where images and videos lie; a video lies at the mean of its frames.

        The paper does not say how it pools the frames of Kinetics.
        """
        found = []
        for few in _batched(visuals, self.rows_at_once):
            frames = torch.cat([self.transform(visual) for visual in few])
            embedded = torch.cat(
                [
                    self.model.embed_pixels(part.to(self.device))
                    for part in frames.split(self.rows_at_once)
                ]
            )
            of_each = embedded.split([visual.num_frames for visual in few])
            found.append(torch.stack([rows.mean(dim=0) for rows in of_each]))
        return F.normalize(torch.cat(found), dim=-1) if found else self._nothing()

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Float[Tensor, "texts dim"]:
        """Where texts lie."""
        found = []
        for few in _batched(texts, self.rows_at_once):
            ids, mask = self.tokenizer(few)
            found.append(self.model.embed_text(ids.to(self.device), mask.to(self.device)))
        return torch.cat(found) if found else self._nothing()

    def _nothing(self) -> Tensor:
        return torch.zeros(0, self.model.text_projection.out_features, device=self.device)


def _batched(items: Iterable[Visual] | Iterable[str], size: int) -> Iterator[list]:
    rest = iter(items)
    while few := list(islice(rest, size)):
        yield few
