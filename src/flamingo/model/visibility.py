"""Which visual each text token may see: per-visual masking, made ready once per pass."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from flamingo.model.variants.all_previous import all_previous

_PIECE = 64
"""Tokens of one piece at most: long enough for fast matrix products, short enough to pad little."""


@dataclass(frozen=True)
class Segments:
    """The tokens of a batch, sorted by the visual that they see and cut into pieces.

    A piece holds tokens that see one and the same visual, so attention inside of it needs no mask
    and no keys but that visual's. Time and memory grow with the tokens and not with how many
    visuals there are.

    Attributes:
        seen: each visual that any token sees, as its place among all visuals of all rows.
        visuals: per piece, which of `seen` its tokens see.
        tokens: per piece, the places of its tokens among all tokens of all rows.
        is_token: false where a piece is only filled up.
        held: where `is_token` is true, counted over all pieces; looked up once for all layers.
    """

    seen: Int[Tensor, " seen"]
    visuals: Int[Tensor, " pieces"]
    tokens: Int[Tensor, "pieces piece"]
    is_token: Bool[Tensor, "pieces piece"]
    held: Int[Tensor, " held"]

    @classmethod
    def of(cls, visual_index: Int[Tensor, "batch tokens"], num_visuals: int) -> Segments:
        """Sorts the tokens by what they see; those that see nothing are left out."""
        device = visual_index.device
        first = torch.arange(len(visual_index), device=device)[:, None] * num_visuals
        seeing = (visual_index > 0).flatten().nonzero()[:, 0]
        visual_of = (first + visual_index - 1).flatten()[seeing]
        order = visual_of.argsort(stable=True)
        places = seeing[order]
        seen, counts = visual_of[order].unique_consecutive(return_counts=True)
        size = int(counts.max().clamp(max=_PIECE)) if len(counts) else 1
        num_pieces = (counts + size - 1) // size
        visuals = torch.arange(len(seen), device=device).repeat_interleave(num_pieces)
        ends = counts.cumsum(0)
        first_piece = num_pieces.cumsum(0) - num_pieces
        number = torch.arange(len(visuals), device=device) - first_piece[visuals]
        begin = (ends - counts)[visuals] + number * size
        position = begin[:, None] + torch.arange(size, device=device)
        is_token = position < ends[visuals][:, None]
        tokens = places[position.clamp(max=max(len(places) - 1, 0))]
        return cls(seen, visuals, tokens, is_token, is_token.flatten().nonzero()[:, 0])

    def gather(
        self, queries: Float[Tensor, "batch heads tokens head_dim"]
    ) -> Float[Tensor, "pieces heads piece head_dim"]:
        """The queries of the tokens of each piece."""
        return queries.transpose(1, 2).flatten(0, 1)[self.tokens].transpose(1, 2)

    def scatter(
        self, found: Float[Tensor, "pieces heads piece head_dim"], batch: int, tokens: int
    ) -> Float[Tensor, "batch tokens inner"]:
        """What was found, back where the tokens stand; zeros where nothing is seen."""
        joined = found.transpose(1, 2).flatten(2).flatten(0, 1)
        flat = joined.new_zeros(batch * tokens, joined.shape[-1])
        flat = flat.index_copy(0, self.tokens.flatten()[self.held], joined[self.held])
        return flat.unflatten(0, (batch, tokens))


@dataclass(frozen=True)
class Visibility:
    """The visual index φ in the forms that attention needs, shared by all gated layers of a pass.

    Attributes:
        visual_index: per token the visual that it sees, counted from 1; 0 sees none.
        num_latents: visual tokens per visual (the paper's R).
        segments: the tokens by what they see. `None` where each row has a single token, as in
            decoding: its one visual is picked out, in tensors of constant shape.
        mask: the visual tokens that each text token may read, where it sees all visuals up to φ
            (a variant, see Table 10 of v2); tokens that see nothing may read anything, and what
            they find is set to zero. `None` where each sees its own visual only.
        rows: the row of kept keys and values that each row reads; its own where `None`.

    Paper: Sec. 2.3 and App. A.1.3, "multi-visual input support: per-image/video attention masking".
    """

    visual_index: Int[Tensor, "batch tokens"]
    num_latents: int
    segments: Segments | None
    mask: Bool[Tensor, "batch 1 tokens positions"] | None = None
    rows: Int[Tensor, " batch"] | None = None

    @classmethod
    def of(
        cls,
        visual_index: Int[Tensor, "batch tokens"],
        num_visuals: int,
        num_latents: int,
        *,
        sees_all_previous: bool = False,
        rows: Int[Tensor, " batch"] | None = None,
    ) -> Visibility:
        """Prepares φ for `num_visuals` visuals of `num_latents` tokens each."""
        if sees_all_previous:
            mask = all_previous(visual_index, num_visuals, num_latents)
            return cls(visual_index, num_latents, None, mask, rows)
        is_decoding = visual_index.shape[1] == 1
        segments = None if is_decoding else Segments.of(visual_index, num_visuals)
        return cls(visual_index, num_latents, segments, rows=rows)

    def select(
        self, stored: Float[Tensor, "stored heads positions head_dim"]
    ) -> Float[Tensor, "chosen heads visible head_dim"]:
        """The keys or values of the one visual that each piece, or each only token, looks at.

        All of them where a mask says which to read.
        """
        if self.mask is not None:
            return stored if self.rows is None else stored[self.rows]
        visuals = stored.unflatten(2, (-1, self.num_latents))
        if self.segments is not None:
            chosen = self.segments.seen[self.segments.visuals]
            own = chosen.div(visuals.shape[2], rounding_mode="floor")
            number = chosen % visuals.shape[2]
        else:
            number = (self.visual_index[:, 0] - 1).clamp(min=0)
            own = torch.arange(len(number), device=visuals.device)
        return visuals[own if self.rows is None else self.rows[own], :, number]

    @property
    def sees_nothing(self) -> Bool[Tensor, "batch tokens 1"]:
        """Marks the tokens that come before any visual."""
        return (self.visual_index == 0)[:, :, None]
