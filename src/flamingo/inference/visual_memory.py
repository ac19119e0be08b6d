"""Visual tokens of what was seen once, for every prompt that shows it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from flamingo.data.batching import stack_visuals
from flamingo.inference.recently_used import RecentlyUsed
from flamingo.inference.visual_store import VisualStore
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.sequence import Visual

_Seen = tuple[str, Float[Tensor, "latents dim"]]
"""A visual's fingerprint, and its tokens."""


class VisualMemory:
    """Encodes each visual once, however many prompts it stands in; equal pixels are one visual.

    In few-shot evaluation the same supports come with 4, 8, 16 and 32 shots, and in every control.
    A memory is for one thread; threads and processes may share a store.

    A visual's tokens may differ in last bits with the frames that are encoded beside it, and so
    with what is known already. The ones that came first are kept.

    Args:
        model: a Flamingo, whose weights stay as they are.
        transform: from a visual to its normalized frames `[frames, 3, height, width]`.
        frames_at_once: how many frames go through the vision encoder together.
        known: what this one remembers from the start; it learns nothing of what is new here.
        store: of this model, see `store_of`: is looked into before a visual is encoded, and is
            given what was encoded.
        most_bytes: of the tokens that are remembered, without `known`; None for no limit. Beyond
            it, those are forgotten first that were not used for longest: they are read from the
            store, or encoded again. One call of `rows` forgets nothing that it needs.

    Attributes:
        num_encoded: visuals that went through the vision encoder.
        num_found: visuals that were read from the store.

    Raises:
        ConfigError: `most_bytes` is negative.
    """

    def __init__(
        self,
        model: FlamingoForConditionalGeneration,
        transform: Callable[[Visual], Tensor],
        *,
        frames_at_once: int = 32,
        known: VisualMemory | None = None,
        store: VisualStore | None = None,
        most_bytes: int | None = None,
    ) -> None:
        self.model, self.transform, self.frames_at_once = model, transform, frames_at_once
        self.known, self.store = known, store
        self.num_encoded = self.num_found = 0
        self._own: RecentlyUsed[Tensor] = RecentlyUsed(most_bytes)

    def __len__(self) -> int:
        """How many visuals are remembered, `known` included."""
        return len(self._fingerprints())

    def see(self, visuals: Iterable[Visual]) -> None:
        """Encodes those that are new, in their order; they may be made one by one.

        Raises:
            DataError: the store cannot be read or written.
        """
        for _ in self._seen(visuals):
            pass

    def rows(
        self, rows: Sequence[Sequence[Visual]]
    ) -> Float[Tensor, "batch visuals latents dim"] | None:
        """The visual tokens of each row's visuals, zeros behind the last; none if there is none.

        Raises:
            DataError: the store cannot be read or written.
        """
        shown = {visual.fingerprint(): visual for row in rows for visual in row}
        if not shown:
            return None
        # First what is remembered: none of it may be forgotten for what is not.
        remembered = {key: self._recall(key) for key in shown}
        tokens = {key: own for key, own in remembered.items() if own is not None}
        tokens.update(self._seen(one for key, one in shown.items() if key not in tokens))
        blank = torch.zeros_like(next(iter(tokens.values())))
        most = max(len(row) for row in rows)
        padded = [
            [tokens[visual.fingerprint()] for visual in row] + [blank] * (most - len(row))
            for row in rows
        ]
        return torch.stack([torch.stack(row) for row in padded])

    def _seen(self, visuals: Iterable[Visual]) -> Iterator[_Seen]:
        """Each visual's tokens; the new ones' in pieces of at most `frames_at_once` frames."""
        piece: dict[str, Visual] = {}
        num_frames = 0
        for visual in visuals:
            key = visual.fingerprint()
            if key in piece:
                continue
            tokens = self._recall(key)
            if tokens is None:
                tokens = self._read(key)
            if tokens is not None:
                yield key, tokens
                continue
            # One visual alone may have more frames than that.
            if piece and num_frames + visual.num_frames > self.frames_at_once:
                yield from self._encode(piece)
                piece, num_frames = {}, 0
            piece[key] = visual
            num_frames += visual.num_frames
        if piece:
            yield from self._encode(piece)

    def _recall(self, key: str) -> Tensor | None:
        tokens = self._own.get(key)
        if tokens is None and self.known is not None:
            return self.known._recall(key)
        return tokens

    def _read(self, key: str) -> Tensor | None:
        tokens = self.store.get(key) if self.store is not None else None
        if tokens is None:
            return None
        self.num_found += 1
        tokens = tokens.to(self.model.device)
        self._own.put(key, tokens)
        return tokens

    def _encode(self, piece: Mapping[str, Visual]) -> list[_Seen]:
        pixels, mask = stack_visuals([list(piece.values())], self.transform)
        assert pixels is not None
        assert mask is not None
        device = self.model.device
        with torch.no_grad():
            tokens = self.model.encode_visuals(pixels.to(device), mask.to(device))[0]
        self.num_encoded += len(piece)
        # Copies: a part of a tensor keeps the memory of all of it.
        seen = [(key, own.clone()) for key, own in zip(piece, tokens.unbind(), strict=True)]
        for key, own in seen:
            self._own.put(key, own)
        if self.store is not None:
            # From a GPU all at once.
            for key, own in zip(piece, tokens.cpu().unbind(), strict=True):
                self.store.put(key, own)
        return seen

    def _fingerprints(self) -> set[str]:
        return {*self._own, *(self.known._fingerprints() if self.known is not None else ())}
