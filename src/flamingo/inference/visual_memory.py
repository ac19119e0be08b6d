"""Visual tokens of what was seen once, for every prompt that shows it again."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from flamingo.data.batching import stack_visuals
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.sequence import Visual


class VisualMemory:
    """Encodes each visual once, however many prompts it stands in; equal pixels are one visual.

    In few-shot evaluation the same supports come with 4, 8, 16 and 32 shots, and in every control.

    Args:
        model: a Flamingo.
        transform: from a visual to its normalized frames `[frames, 3, height, width]`.
        frames_at_once: how many frames go through the vision encoder together.
        known: what this one remembers from the start; it learns nothing of what is new here.
    """

    def __init__(
        self,
        model: FlamingoForConditionalGeneration,
        transform: Callable[[Visual], Tensor],
        *,
        frames_at_once: int = 32,
        known: VisualMemory | None = None,
    ) -> None:
        self.model, self.transform, self.frames_at_once = model, transform, frames_at_once
        self._tokens: MutableMapping[str, Float[Tensor, "latents dim"]] = (
            {} if known is None else ChainMap({}, known._tokens)
        )

    def __len__(self) -> int:
        return len(self._tokens)

    def see(self, visuals: Iterable[Visual]) -> None:
        """Encodes those that are new, in their order; they may be made one by one."""
        for piece in self._pieces(visuals):
            pixels, mask = stack_visuals([list(piece.values())], self.transform)
            assert pixels is not None
            assert mask is not None
            device = self.model.device
            with torch.no_grad():
                tokens = self.model.encode_visuals(pixels.to(device), mask.to(device))
            self._tokens.update(zip(piece, tokens[0].unbind(), strict=True))

    def rows(
        self, rows: Sequence[Sequence[Visual]]
    ) -> Float[Tensor, "batch visuals latents dim"] | None:
        """The visual tokens of each row's visuals, zeros behind the last; none if there is none."""
        self.see(visual for row in rows for visual in row)
        most = max(len(row) for row in rows)
        if most == 0:
            return None
        blank = torch.zeros_like(next(iter(self._tokens.values())))
        padded = [
            [self._tokens[visual.fingerprint()] for visual in row] + [blank] * (most - len(row))
            for row in rows
        ]
        return torch.stack([torch.stack(row) for row in padded])

    def _pieces(self, visuals: Iterable[Visual]) -> Iterator[dict[str, Visual]]:
        """The new ones in order, in pieces of at most `frames_at_once` frames, or of one visual."""
        piece: dict[str, Visual] = {}
        num_frames = 0
        for visual in visuals:
            key = visual.fingerprint()
            if key in self._tokens or key in piece:
                continue
            if piece and num_frames + visual.num_frames > self.frames_at_once:
                yield piece
                piece, num_frames = {}, 0
            piece[key] = visual
            num_frames += visual.num_frames
        if piece:
            yield piece
