"""The language model's keys and values, in tensors with room to grow: a new token moves none."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import DynamicCache, PretrainedConfig
from transformers.cache_utils import DynamicLayer

from flamingo.model.visual_cache import VisualCacheLayer

_ROOM = 64
"""Tokens for which there is room behind those that are kept. A longer answer moves once in 64."""


class GrowingLayer(DynamicLayer):
    """Full attention's keys and values of one layer.

    transformers' own layer copies all of them for each new token, and for each step of a beam
    search once more. Here a token is written behind the others; and beams that go on from one
    prompt exchange only what they read since.

    Attributes:
        num_shared: the first tokens, in which the rows of a group are the same.
        group: how many rows, side by side, share them.
    """

    keys: Tensor
    values: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.num_shared, self.group = 0, 1
        self._room: tuple[Tensor, Tensor] | None = None

    def __copy__(self) -> GrowingLayer:
        """A layer that grows apart from this one: each finds new room when it does."""
        self._room = None
        other = type(self)()
        other.__dict__.update(self.__dict__)
        other._ungroup()
        return other

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Writes new tokens behind those that are kept; gives all of them."""
        if torch.is_grad_enabled() and (key_states.requires_grad or value_states.requires_grad):
            keys, values = super().update(key_states, value_states, *args, **kwargs)
            return keys, values
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if self._room is None or not self._fits(self._room[0], end):
            self._room = (
                self._moved(self.keys, key_states, start, end),
                self._moved(self.values, value_states, start, end),
            )
        keys, values = self._room
        keys[:, :, start:end] = key_states
        values[:, :, start:end] = value_states
        self.keys, self.values = keys[:, :, :end], values[:, :, :end]
        return self.keys, self.values

    def reorder_cache(self, beam_idx: Int[Tensor, " rows"]) -> None:
        """Row i becomes what row `beam_idx[i]` was.

        Where rows share their first tokens, rows must come from their own group.
        """
        length = self.get_seq_length()
        if self.group == 1 or self._room is None or not self._fits(self._room[0], length):
            super().reorder_cache(beam_idx)
            return
        chosen = beam_idx.to(self.keys.device)
        for kept in (self.keys, self.values):
            own = kept[:, :, self.num_shared :]
            own.copy_(own.index_select(0, chosen))

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Each row `repeats` times, side by side."""
        super().batch_repeat_interleave(repeats)
        self._ungroup()

    def batch_select_indices(self, indices: Tensor) -> None:
        """Only the rows of these numbers, or those that a mask marks."""
        super().batch_select_indices(indices)
        self._ungroup()

    def reset(self) -> None:
        """Forgets everything."""
        super().reset()
        self._ungroup()
        self._room = None

    def trim(self) -> None:
        """Gives back the room that is not filled."""
        if self.is_initialized:
            self.keys, self.values, self._room = self.keys.clone(), self.values.clone(), None

    def crop(self, tokens_to_remove: int) -> None:
        """Takes back the last tokens; their number is given as a negative one."""
        super().crop(tokens_to_remove)
        self.num_shared = min(self.num_shared, self.get_seq_length())

    def repeat(self, times: int) -> None:
        """Each row `times` times, side by side: rows of a group share all that is kept now."""
        length = self.get_seq_length()
        if not length:
            return
        room = [self._empty(kept, len(kept) * times, length + _ROOM) for kept in self._kept()]
        for kept, wide in zip(self._kept(), room, strict=True):
            wide.unflatten(0, (len(kept), times))[:, :, :, :length] = kept[:, None]
        self._take(room[0], room[1], length)
        self.num_shared, self.group = length, times

    def placed(self, pads: list[int], num_tokens: int) -> GrowingLayer:
        """A layer whose rows all go on from the one row here.

        Args:
            pads: for each row, empty places before its first token; as many tokens fewer are taken.
            num_tokens: that will follow; there is room for them.
        """
        length = self.get_seq_length()
        return self.gathered([self] * len(pads), [length - pad for pad in pads], length, num_tokens)

    @classmethod
    def gathered(
        cls,
        sources: Sequence[GrowingLayer | None],
        lengths: Sequence[int],
        width: int,
        num_tokens: int,
    ) -> GrowingLayer:
        """A layer whose rows go on from those of other layers, which have one row each.

        Args:
            sources: for each row the layer that it goes on from, or None; at least one is given.
            lengths: for each row how many of the first tokens it takes; they stand on the right.
            width: of all rows; what is not taken is empty.
            num_tokens: that will follow; there is room for them.
        """
        like = next(source for source in sources if source is not None)
        made = cls()
        made.lazy_initialization(like.keys, like.values)
        room = [cls._empty(kept, len(sources), width + num_tokens + _ROOM) for kept in like._kept()]
        for row, (source, length) in enumerate(zip(sources, lengths, strict=True)):
            for number, wide in enumerate(room):
                # Masked, but read all the same: what is not a number would come through.
                wide[row, :, : width - length] = 0
                if source is not None:
                    kept = source._kept()[number]
                    wide[row, :, width - length : width] = kept[0, :, :length]
        made._take(room[0], room[1], width)
        return made

    def _ungroup(self) -> None:
        """From here on rows go anywhere, with all that they hold."""
        self.num_shared, self.group = 0, 1

    def _kept(self) -> tuple[Tensor, Tensor]:
        return self.keys, self.values

    def _take(self, keys: Tensor, values: Tensor, length: int) -> None:
        self._room = keys, values
        self.keys, self.values = keys[:, :, :length], values[:, :, :length]

    def _fits(self, room: Tensor, length: int) -> bool:
        """Whether what is kept stands in `room`, which has place for `length` tokens."""
        is_same = self.keys.data_ptr() == room.data_ptr() and len(self.keys) == len(room)
        may_write = torch.is_inference_mode_enabled() or not room.is_inference()
        return is_same and may_write and length <= room.shape[-2]

    @staticmethod
    def _empty(like: Tensor, rows: int, length: int) -> Tensor:
        return like.new_empty((rows, like.shape[1], length, like.shape[3]))

    @classmethod
    def _moved(cls, kept: Tensor, new: Tensor, start: int, end: int) -> Tensor:
        room = cls._empty(new, len(new), end + _ROOM)
        if start:
            room[:, :, :start] = kept
        return room


class GrowingCache(DynamicCache):
    """What a language model has read, ready to go on in many rows at once.

    Layers of full attention grow in place; sliding windows and recurrent states are transformers'.

    Args:
        config: of the language model.
    """

    layers: list[Any]

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config=config)
        # Subclasses, such as sliding windows, keep other things.
        self.layers = [
            GrowingLayer() if type(layer) is DynamicLayer else layer for layer in self.layers
        ]

    @property
    def is_compileable(self) -> bool:
        """Never: it grows, also where all layers of the language model are of constant size."""
        return False

    @property
    def keeps_each_token(self) -> bool:
        """Whether the last tokens can be taken back from all layers.

        Sliding windows and recurrent states do not allow it, and grafted layers are not asked to.
        """
        kinds = (GrowingLayer, VisualCacheLayer)
        return all(isinstance(layer, kinds) for layer in self.layers)

    @property
    def num_rows(self) -> int | None:
        """How many rows there are; None before anything was read."""
        kept = (getattr(layer, "keys", None) for layer in self.layers)
        return next((len(keys) for keys in kept if keys is not None and keys.numel()), None)

    def repeat_rows(self, num_rows: int, times: int) -> None:
        """Each of the rows `times` times, side by side: what beams, or samples, go on from.

        Args:
            num_rows: all that there are.
            times: how often.
        """
        repeated = torch.arange(num_rows).repeat_interleave(times)
        for layer in self.layers:
            if isinstance(layer, GrowingLayer):
                layer.repeat(times)
            else:
                # Unlike repeating, every kind of layer can reorder.
                layer.reorder_cache(repeated)

    def reorder_cache(self, beam_idx: Int[Tensor, " rows"]) -> None:
        """Row i becomes what row `beam_idx[i]` was."""
        shared = [layer for layer in self.layers if getattr(layer, "group", 1) > 1]
        if shared and not _stays_in_groups(beam_idx, len(shared[0].keys), shared[0].group):
            for layer in shared:
                layer._ungroup()
        super().reorder_cache(beam_idx)


def with_rows(cache: DynamicCache, rows: Int[Tensor, " rows"]) -> DynamicCache:
    """A cache that has read what these rows of another one have; the other one stays as it is."""
    chosen = copy.copy(cache)
    chosen.layers = [layer_with_rows(layer, rows) for layer in cache.layers]
    return chosen


def layer_with_rows(layer: Any, rows: Int[Tensor, " rows"]) -> Any:
    """A layer of a cache that has read what these rows of another one have."""
    own = copy.copy(layer)
    for name, value in vars(layer).items():
        # The states of linear attention, which change in place.
        if isinstance(value, dict):
            setattr(own, name, dict(value))
    # Unlike repeating, every kind of layer can reorder.
    own.reorder_cache(rows)
    return own


def _stays_in_groups(rows: Int[Tensor, " rows"], num_rows: int, group: int) -> bool:
    own = torch.arange(len(rows), device=rows.device)
    return len(rows) == num_rows and torch.equal(rows // group, own // group)
