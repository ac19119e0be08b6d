"""Which visual each text token may see: per-visual masking, made ready once per pass."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Visibility:
    """The visual index φ in the forms that attention needs, shared by all gated layers of a pass.

    Attributes:
        visual_index: per token the visual that it sees, counted from 1; 0 sees none.
        num_latents: visual tokens per visual (the paper's R).
        allowed: per token, which of all visual tokens it may attend to. A token that sees no
            visual is allowed to look anywhere, since a softmax over nothing is not a number;
            what it finds is then thrown away. `None` where each row has a single token: its one
            visual is picked out instead, at a cost that does not grow with the shots.

    Paper: Sec. 2.3 and App. A.1.3, "multi-visual input support: per-image/video attention masking".
    """

    visual_index: Int[Tensor, "batch tokens"]
    num_latents: int
    allowed: Bool[Tensor, "batch 1 tokens positions"] | None

    @classmethod
    def of(
        cls, visual_index: Int[Tensor, "batch tokens"], num_visuals: int, num_latents: int
    ) -> Visibility:
        """Prepares φ for `num_visuals` visuals of `num_latents` tokens each."""
        allowed = None
        if visual_index.shape[1] > 1:
            visuals = torch.arange(1, num_visuals + 1, device=visual_index.device)
            index = visual_index[:, None, :, None]
            seen = (index == visuals) | (index == 0)
            allowed = seen.repeat_interleave(num_latents, dim=-1)
        return cls(visual_index, num_latents, allowed)

    def select(
        self, stored: Float[Tensor, "batch heads positions head_dim"]
    ) -> Float[Tensor, "batch heads visible head_dim"]:
        """The keys or values that are looked at: all, or those of the only token's one visual."""
        if self.allowed is not None:
            return stored
        visuals = stored.unflatten(2, (-1, self.num_latents))
        chosen = (self.visual_index[:, 0] - 1).clamp(min=0)
        return visuals[torch.arange(len(visuals), device=visuals.device), :, chosen]

    @property
    def sees_nothing(self) -> Bool[Tensor, "batch tokens 1"]:
        """Marks the tokens that come before any visual."""
        return (self.visual_index == 0)[:, :, None]
