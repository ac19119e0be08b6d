"""Candidates that begin alike score as each alone, within a memory that is bounded."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import DynamicCache

from flamingo.inference.candidate_trie import score_by_trie

VOCABULARY = 5
PROMPTS = torch.tensor([[1, 2, 0], [4, 0, 3], [2, 2, 2]])
LOGITS = torch.randn(97, VOCABULARY, generator=torch.Generator().manual_seed(0))
WIDTH = PROMPTS.shape[1]


class ToyReader:
    """Its logits come from the sum of all tokens before, which it takes from the cache."""

    def __init__(self) -> None:
        self.caches: weakref.WeakSet[DynamicCache] = weakref.WeakSet()
        self.read: list[int] = []
        self.peak = 0

    def __call__(
        self, ids: Tensor, mask: Tensor, cache: DynamicCache, rows: Sequence[int]
    ) -> Tensor:
        self.caches.add(cache)
        known = append(cache, ids)
        self.read.append(int(mask.sum()))
        self.peak = max(self.peak, sum(one.layers[0].keys.numel() for one in self.caches))
        assert known[:, :WIDTH].equal(PROMPTS[list(rows)])
        return LOGITS[known.cumsum(1)[:, -ids.shape[1] :]]


def append(cache: DynamicCache, ids: Tensor) -> Tensor:
    """Puts the ids themselves into the cache, and gives back all that it has read."""
    keys, _ = cache.update(ids[:, None, :, None].float(), ids[:, None, :, None].float(), 0)
    return keys[:, 0, :, 0].long()


def by_trie(
    candidates: Sequence[Sequence[Sequence[int]]], reader: ToyReader, tokens_at_once: int
) -> list[list[float]]:
    cache = DynamicCache()
    append(cache, PROMPTS[: len(candidates)])
    start = LOGITS[PROMPTS[: len(candidates)].sum(1)].log_softmax(-1)
    scores = score_by_trie(
        candidates, start, cache, reader, num_cached=WIDTH, tokens_at_once=tokens_at_once
    )
    assert cache.get_seq_length() == WIDTH
    return scores


def alone(row: int, tokens: Sequence[int]) -> float:
    sums = torch.cat([PROMPTS[row], torch.tensor(tokens)]).cumsum(0)[WIDTH - 1 : -1]
    found = LOGITS[sums].log_softmax(-1)
    return float(found[range(len(tokens)), list(tokens)].sum())


candidate = st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=6)


@given(
    st.lists(st.lists(candidate, min_size=1, max_size=9), min_size=1, max_size=3),
    st.integers(1, 200),
)
@settings(max_examples=20)
def test_any_candidates_score_as_each_alone(
    candidates: list[list[list[int]]], tokens_at_once: int
) -> None:
    reader = ToyReader()
    scores = by_trie(candidates, reader, tokens_at_once)
    for row, own in enumerate(candidates):
        expected = [alone(row, tokens) for tokens in own]
        assert scores[row] == pytest.approx(expected, abs=1e-4)
    # Where the room is less than a row, each token of depth keeps one row at most.
    assert reader.peak <= tokens_at_once + 6 * (WIDTH + 6)


MANY = [[*tokens, 4] for tokens in product(range(3), repeat=4)]


@pytest.mark.parametrize("tokens_at_once", [80, 150, 400, 3000])
def test_copied_caches_hold_no_more_than_is_said(tokens_at_once: int) -> None:
    reader = ToyReader()
    by_trie([MANY, MANY[:40]], reader, tokens_at_once)
    assert reader.peak <= tokens_at_once
    # However many pieces: 3 + 9 + 27 forks and 81 leaves, and of the half of them.
    assert sum(reader.read) == (3 + 9 + 27 + 81) + (2 + 5 + 14 + 40)


def test_less_room_means_more_readings() -> None:
    readers = [ToyReader() for _ in range(3)]
    for reader, tokens_at_once in zip(readers, (3000, 400, 1), strict=True):
        by_trie([MANY], reader, tokens_at_once)
    assert [len(reader.read) for reader in readers[::2]] == [4, 3 + 9 + 27 + 81]
    assert 4 < len(readers[1].read) < 40


def test_a_common_beginning_keeps_one_cache_alive() -> None:
    reader = ToyReader()
    by_trie([[[1] * 20 + [2], [1] * 20 + [3]]], reader, 1)
    # The copy that is read, and the one that it was made of.
    assert reader.peak <= 2 * (WIDTH + 20)


def test_scores_leave_the_device_once_per_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[str] = []
    for name in ("tolist", "item", "__float__"):
        plain = getattr(Tensor, name)

        def counted(self: Tensor, plain: object = plain, name: str = name) -> object:
            waits.append(name)
            return plain(self)  # type: ignore[operator]

        monkeypatch.setattr(Tensor, name, counted)
    by_trie([MANY], ToyReader(), 3000)
    # The first token, three levels of forks, and all leaves together.
    assert waits.count("tolist") == 5
    assert "__float__" not in waits
