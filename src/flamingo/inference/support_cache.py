"""A support set that was read once: any number of queries go on from it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from flamingo.data.encoding import Encoded
from flamingo.foundation.errors import SequenceError
from flamingo.model.cache_rows import row_alone
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.growing_cache import GrowingCache, GrowingLayer, layer_with_rows
from flamingo.model.visual_cache import VisualCacheLayer, num_forgotten
from flamingo.model.weights_identity import weights_stamp
from flamingo.prompting import Template

READ_AGAIN = 64
"""Last tokens of the supports that may be read again, to bring queries to one length."""


@dataclass(frozen=True)
class Continued:
    """Queries that go on from one support set, as one batch.

    Attributes:
        inputs: the model's inputs, of what is read now; the attention mask is of everything.
        cache: has read what comes before; it is used up with the batch.
    """

    inputs: dict[str, Tensor]
    cache: GrowingCache


@dataclass(frozen=True, repr=False)
class SupportCache:
    """The keys and values of a support set, as a language model with gated layers reads it.

    Queries that share their supports then cost one visual and a few tokens each. What comes out is
    what the whole prompt would give: the same sums, in another order of adding.

    Attributes:
        token_ids: of the supports, with their tags.
        visual_index: per token the visual that it sees (the paper's φ), from 1; 0 for none.
        num_visuals: of the supports.
        template: how they are written, and how queries are to be.
        cache: one row. Of the visuals it holds those that the last tokens see.
        stamp: of the weights that have read it, see `weights_stamp`.
    """

    token_ids: tuple[int, ...]
    visual_index: tuple[int, ...]
    num_visuals: int
    template: Template
    cache: GrowingCache
    stamp: int

    @classmethod
    def read(
        cls,
        model: FlamingoForConditionalGeneration,
        inputs: dict[str, Tensor],
        num_visuals: int,
        template: Template,
    ) -> SupportCache:
        """Reads a support set.

        Args:
            model: a Flamingo.
            inputs: its inputs, of one row that ends in a closed chunk.
            num_visuals: that the row shows.
            template: how the supports are written.
        """
        return cls.read_all(model, inputs, [num_visuals], template)[0]

    @classmethod
    def read_all(
        cls,
        model: FlamingoForConditionalGeneration,
        inputs: dict[str, Tensor],
        num_visuals: Sequence[int],
        template: Template,
        stamp: int | None = None,
    ) -> list[SupportCache]:
        """Reads several support sets as one batch.

        Args:
            model: a Flamingo; it must keep each token, or states, where there are several rows.
            inputs: its inputs, padded on the left; rows end in closed chunks.
            num_visuals: that each row shows.
            template: how the supports are written.
            stamp: of the model's weights, if that is known already.
        """
        cache = GrowingCache(model.config.get_text_config(decoder=True))
        with torch.no_grad():
            model(**inputs, past_key_values=cache, use_cache=True, logits_to_keep=1)
        stamp = weights_stamp(model) if stamp is None else stamp
        found = []
        names = ("input_ids", "visual_index", "attention_mask")
        rows = zip(*(inputs[name] for name in names), strict=True)
        for row, (ids, index, mask) in enumerate(rows):
            pad = len(mask) - int(mask.sum())
            own = row_alone(cache, row, pad, num_visuals[row] * model.config.num_latents)
            seen = index[pad:].tolist()
            _shorten(own, seen, model)
            found.append(
                cls(tuple(ids[pad:].tolist()), tuple(seen), num_visuals[row], template, own, stamp)
            )
        return found

    def extended(
        self,
        model: FlamingoForConditionalGeneration,
        inputs: dict[str, Tensor],
        cache: GrowingCache,
        more: Encoded,
        num_visuals: int,
    ) -> SupportCache:
        """These supports and more behind them, of which only the new ones are read.

        Args:
            model: that has read these.
            inputs: its inputs, of the new ones.
            cache: as `continued` gave it for them; it is used up.
            more: the new ones, which end in a closed chunk.
            num_visuals: that they show.
        """
        with torch.no_grad():
            model(**inputs, past_key_values=cache, use_cache=True, logits_to_keep=1)
        index = [*self.visual_index, *(number + self.num_visuals for number in more.visual_index)]
        _shorten(cache, index, model)
        return replace(
            self,
            token_ids=(*self.token_ids, *more.token_ids),
            visual_index=tuple(index),
            num_visuals=self.num_visuals + num_visuals,
            cache=cache,
        )

    def __repr__(self) -> str:
        return (
            f"SupportCache({self.num_visuals} visuals, {len(self)} tokens, {self.nbytes:,} bytes)"
        )

    def __len__(self) -> int:
        """Tokens of the supports."""
        return len(self.token_ids)

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory."""
        return sum(tensor.nbytes for layer in self.cache.layers for tensor in _tensors(vars(layer)))

    @property
    def _most_read_again(self) -> int:
        """Last tokens of the supports that can be read again."""
        return min(READ_AGAIN, len(self)) if self.cache.keeps_each_token else 0

    def check(self, model: FlamingoForConditionalGeneration, stamp: int | None = None) -> None:
        """Refuses a model that has not read these supports, or has changed since.

        Args:
            model: that is to go on from them.
            stamp: of its weights, if that is known already.

        Raises:
            SequenceError: it is another model, was trained further, or was moved.
        """
        if self.stamp != (weights_stamp(model) if stamp is None else stamp):
            raise SequenceError(
                f"The support set of {self.num_visuals} visuals and {len(self)} tokens was read "
                "with other weights than those of this model: it is another one, or it was "
                "trained, loaded or moved since.\nRead the supports again, with this model."
            )

    def batches(self, queries: Sequence[Encoded], most: int) -> list[list[int]]:
        """Cuts queries into batches that `continued` takes, of about one length each.

        Args:
            queries: what follows the supports.
            most: queries in a batch.
        """
        spread = self._most_read_again
        batches: list[list[int]] = []
        for number in sorted(range(len(queries)), key=lambda i: -len(queries[i])):
            longest = len(queries[batches[-1][0]]) if batches else 0
            fits = batches and len(batches[-1]) < most
            if fits and longest - len(queries[number]) <= spread:
                batches[-1].append(number)
            else:
                batches.append([number])
        return batches

    def continued(self, queries: Sequence[Encoded], num_new: int) -> Continued:
        """A batch of queries, each behind a copy of the supports' keys and values.

        A row that is shorter than the longest begins earlier, with last tokens of the supports:
        so nothing is padded between supports and query, and padding stands before everything, as
        language models expect it.

        Args:
            queries: what follows the supports, without `<BOS>`.
            num_new: tokens that will be generated; there is room for them.

        Raises:
            SequenceError: the queries' lengths are too far apart, see `batches`.
        """
        # Something must be read: without a word of its own a query has the supports' last token.
        longest = max(1, *(len(query) for query in queries))
        pads = [longest - len(query) for query in queries]
        if max(pads) > self._most_read_again:
            if longest == 1:
                raise SequenceError(
                    "A query has no token of its own, and this language model cannot take back "
                    "the supports' last one to read it again.\n"
                    "Give the query a visual or a template with words, or read the whole prompt."
                )
            raise SequenceError(
                f"The queries have {longest - max(pads)} to {longest} tokens, which is too far "
                "apart for one batch behind these supports. Cut them with `batches` first."
            )
        ids = [
            [*self.token_ids[len(self) - pad :], *query.token_ids]
            for pad, query in zip(pads, queries, strict=True)
        ]
        index = [
            [
                *self.visual_index[len(self) - pad :],
                # Counted on from the supports; before its own visual a query sees their last one.
                *(number + self.num_visuals for number in query.visual_index),
            ]
            for pad, query in zip(pads, queries, strict=True)
        ]
        mask = [[0] * pad + [1] * (len(self) + longest - pad) for pad in pads]
        named = {"input_ids": ids, "attention_mask": mask, "visual_index": index}
        device = self._device
        inputs = {name: torch.tensor(rows, device=device) for name, rows in named.items()}
        return Continued(inputs, self._rows(pads, longest + num_new))

    def _rows(self, pads: list[int], num_tokens: int) -> GrowingCache:
        """A copy of the cache with a row for each of `pads`."""
        chosen = copy.copy(self.cache)
        rows = torch.zeros(len(pads), dtype=torch.long, device=self._device)
        chosen.layers = [
            layer.placed(pads, num_tokens)
            if isinstance(layer, GrowingLayer) and layer.is_initialized
            else layer_with_rows(layer, rows)
            for layer in self.cache.layers
        ]
        return chosen

    @property
    def _device(self) -> torch.device:
        return next(t.device for layer in self.cache.layers for t in _tensors(vars(layer)))


def _shorten(
    cache: GrowingCache, index: Sequence[int], model: FlamingoForConditionalGeneration
) -> None:
    """Lets go of empty room, and of the visuals that neither a query nor a last token sees."""
    # Where no token is ever read again, queries see what the last one saw.
    again = READ_AGAIN if cache.keeps_each_token else 1
    for layer in cache.layers:
        if isinstance(layer, GrowingLayer):
            layer.trim()
    if model.config.sees == "all_previous":
        return
    num_unseen = max(0, min(index[-again:]) - 1) - num_forgotten(cache)
    for layer in cache.layers:
        if isinstance(layer, VisualCacheLayer) and num_unseen > 0:
            layer.forget(num_unseen, model.config.num_latents)


def _tensors(value: Any) -> list[Tensor]:
    """All tensors in a layer's attributes, but the room that a layer grows into."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        return [t for name, part in value.items() if name != "_room" for t in _tensors(part)]
    return []
