"""Which token comes next."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

_COLD = 1e-6
"""A temperature below which the likeliest token is all that is left."""


class Sampler:
    """Takes the likeliest token, or draws one.

    Args:
        temperature: 0, or next to it, for the likeliest one.
        top_p: draws from the likeliest tokens that together have this share.
        seed: of the draws; None for one that nobody knows.
        number: of the answer, if several are drawn with one seed.
    """

    def __init__(
        self,
        temperature: int | float,
        top_p: int | float = 1.0,
        seed: int | None = None,
        number: int = 0,
    ) -> None:
        self.temperature, self.top_p = temperature, top_p
        self._generator = torch.Generator()
        if seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed((seed * 1_000_003 + number) % 2**63)

    def __call__(self, log_probabilities: Float[Tensor, " vocabulary"]) -> int:
        """The token that is taken, of these on the CPU."""
        if self.temperature < _COLD:
            return int(log_probabilities.argmax())
        best = log_probabilities.max()
        shares = ((log_probabilities - best).double() / self.temperature).softmax(-1)
        if self.top_p < 1:
            ordered, order = shares.sort(descending=True)
            # The first one always stays.
            ordered[ordered.cumsum(-1) - ordered >= self.top_p] = 0
            shares = torch.zeros_like(shares).scatter(0, order, ordered)
        return int(torch.multinomial(shares, 1, generator=self._generator))
