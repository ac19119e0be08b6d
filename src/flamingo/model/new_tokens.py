"""Trained rows for the tokens that the frozen language model has never seen."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class NewTokens(nn.Module):
    """Embeddings of `<image>`, `<EOC>` and the like, beside the frozen table instead of in it.

    Only these rows are parameters, so nothing of the frozen table is copied, masked or sharded
    for their sake. A new id may lie behind the table or inside its unused padding.

    Args:
        ids: the token ids that these rows stand for.
        embedding_dim: width of the language model's input embedding.
        output_dim: width of what its output head reads, or `None` if the language model ties
            input and output embeddings; the new rows are then tied as well.

    Paper: App. A.3 ("<EOC> ... embedding randomly initialized and learned").
    """

    def __init__(self, ids: Sequence[int], *, embedding_dim: int, output_dim: int | None) -> None:
        super().__init__()
        self.ids = tuple(ids)
        self.input_rows = nn.Parameter(torch.randn(len(self.ids), embedding_dim) * 0.02)
        self.output_rows = (
            nn.Parameter(torch.randn(len(self.ids), output_dim) * 0.02)
            if output_dim is not None
            else None
        )

    def embed(
        self, table: nn.Module, token_ids: Int[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch tokens dim"]:
        """Input embeddings: of `table` for old ids, of the new rows for new ones."""
        is_new = [token_ids == new_id for new_id in self.ids]
        old_ids = token_ids
        for mask in is_new:
            old_ids = old_ids.masked_fill(mask, 0)
        embedded = table(old_ids)
        for mask, row in zip(is_new, self.input_rows, strict=True):
            embedded = torch.where(mask[..., None].to(embedded.device), row.to(embedded), embedded)
        return embedded

    def extend(
        self,
        logits: Float[Tensor, "batch tokens vocabulary"],
        hidden: Float[Tensor, "batch tokens dim"],
    ) -> Float[Tensor, "batch tokens extended"]:
        """Logits with the new tokens' columns written in; all others are passed on untouched."""
        rows = self.output_rows if self.output_rows is not None else self.input_rows
        columns = hidden @ rows.to(hidden).T
        size = logits.shape[-1]
        total = max(size, max(self.ids) + 1)
        if self.ids == tuple(range(size, total)):
            return torch.cat([logits, columns.to(logits.dtype)], dim=-1)
        blank = logits.new_full((*logits.shape[:-1], total - size), torch.finfo(logits.dtype).min)
        extended = torch.cat([logits, blank], dim=-1)
        index = torch.tensor(self.ids, device=logits.device)
        return extended.index_copy(-1, index, columns.to(logits.dtype))
