"""Log-likelihoods of very many candidates: what they begin with in common is read once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache

Step = Callable[
    [Int[Tensor, "nodes tokens"], Int[Tensor, "nodes tokens"], DynamicCache, Sequence[int]],
    Float[Tensor, "nodes tokens vocabulary"],
]
"""Token ids, which of them are real, a cache, and the prompt's row of each, give the logits.

The tokens before them, since the prompt, are all real: their number is that of the cache."""


@dataclass(frozen=True)
class _Node:
    """Candidates that have their first tokens in common.

    Args:
        row: of the prompt.
        source: row of the cache that has read those tokens.
        members: numbers of the candidates.
    """

    row: int
    source: int
    members: tuple[int, ...]


def score_by_trie(
    candidates: Sequence[Sequence[Sequence[int]]],
    start: Float[Tensor, "rows vocabulary"],
    cache: DynamicCache,
    step: Step,
    *,
    rows_at_once: int = 64,
) -> list[list[float]]:
    """The log-likelihood of each row's candidates, summed over tokens.

    The candidates of a row form a trie. Each of its inner nodes is one token to read, and what
    follows the last fork is read at once: the cost grows with the distinct prefixes.

    Args:
        candidates: for each row the token ids of its candidates, at least one token each.
        start: log-probabilities of the first token, per row.
        cache: of the prompts; it is not changed.
        step: runs the language model.
        rows_at_once: that the model reads together, which bounds the memory of copied caches.
    """
    walk = _Walk(candidates, step, rows_at_once, start.device)
    nodes = [_Node(row, row, tuple(range(len(own)))) for row, own in enumerate(candidates)]
    walk.descend(nodes, 0, start, cache)
    return walk.scores


class _Walk:
    """Goes down the tries of all rows together, and adds up what each token is worth."""

    def __init__(
        self,
        candidates: Sequence[Sequence[Sequence[int]]],
        step: Step,
        rows_at_once: int,
        device: torch.device,
    ) -> None:
        self.candidates, self.step, self.rows_at_once = candidates, step, rows_at_once
        self.device = device
        self.scores = [[0.0] * len(own) for own in candidates]

    def descend(
        self,
        nodes: Sequence[_Node],
        depth: int,
        found: Float[Tensor, "nodes vocabulary"],
        cache: DynamicCache,
    ) -> None:
        """Scores the token at `depth` of all members, and goes on with those that have more.

        Args:
            nodes: their members have the first `depth` tokens in common.
            depth: how many tokens were read.
            found: log-probabilities of the next token, per node.
            cache: has read the first `depth` tokens of each node in its row `source`.
        """
        self._add(nodes, depth, found)
        children = [child for node in nodes for child in self._children(node, depth)]
        forks = [child for child in children if len(child.members) > 1]
        for piece in self._pieces(forks):
            ids = [[self._tokens(node)[depth]] for node in piece]
            logits, kept = self._read(piece, ids, cache)
            renamed = [_Node(node.row, i, node.members) for i, node in enumerate(piece)]
            self.descend(renamed, depth + 1, logits[:, 0].log_softmax(-1), kept)
        self._finish([child for child in children if len(child.members) == 1], depth, cache)

    def _add(
        self, nodes: Sequence[_Node], depth: int, found: Float[Tensor, "nodes vocabulary"]
    ) -> None:
        places = [(i, node.row, m) for i, node in enumerate(nodes) for m in node.members]
        tokens = [self.candidates[row][member][depth] for _, row, member in places]
        values = found[[i for i, _, _ in places], tokens].tolist()
        for (_, row, member), value in zip(places, values, strict=True):
            self.scores[row][member] += value

    def _children(self, node: _Node, depth: int) -> Iterator[_Node]:
        """The node's members by their next token, without those that end with it."""
        groups: dict[int, list[int]] = {}
        for member in node.members:
            tokens = self.candidates[node.row][member]
            if len(tokens) > depth + 1:
                groups.setdefault(tokens[depth], []).append(member)
        for members in groups.values():
            yield _Node(node.row, node.source, tuple(members))

    def _finish(self, leaves: Sequence[_Node], depth: int, cache: DynamicCache) -> None:
        """What remains of candidates that share nothing more, each in one reading."""
        # By length: a batch is as wide as its longest.
        ordered = sorted(leaves, key=lambda leaf: len(self._tokens(leaf)))
        for piece in self._pieces(ordered):
            rest = [list(self._tokens(leaf)[depth:]) for leaf in piece]
            logits, _ = self._read(piece, [tokens[:-1] for tokens in rest], cache)
            for leaf, tokens, own in zip(piece, rest, logits, strict=True):
                targets = torch.tensor(tokens[1:], device=own.device)
                likelihoods = own[: len(targets)].log_softmax(-1).gather(-1, targets[:, None])
                self.scores[leaf.row][leaf.members[0]] += float(likelihoods.sum())

    def _read(
        self, nodes: Sequence[_Node], ids: Sequence[Sequence[int]], cache: DynamicCache
    ) -> tuple[Float[Tensor, "nodes tokens vocabulary"], DynamicCache]:
        width = max(map(len, ids))
        device = self.device
        tokens = torch.tensor([[*own, *[0] * (width - len(own))] for own in ids], device=device)
        lengths = torch.tensor([len(own) for own in ids], device=device)
        mask = (torch.arange(width, device=device) < lengths[:, None]).long()
        own = with_rows(cache, torch.tensor([node.source for node in nodes], device=device))
        return self.step(tokens, mask, own, [node.row for node in nodes]).float(), own

    def _tokens(self, node: _Node) -> Sequence[int]:
        return self.candidates[node.row][node.members[0]]

    def _pieces(self, nodes: Sequence[_Node]) -> Iterator[Sequence[_Node]]:
        for begin in range(0, len(nodes), self.rows_at_once):
            yield nodes[begin : begin + self.rows_at_once]


def with_rows(cache: DynamicCache, rows: Int[Tensor, " rows"]) -> DynamicCache:
    """A cache that has read what these rows of another one have; the other one stays as it is."""
    chosen = copy.copy(cache)
    chosen.layers = [_shallow(layer) for layer in cache.layers]
    # Unlike repeating, every kind of cache layer can reorder.
    chosen.reorder_cache(rows)
    return chosen


def _shallow(layer: Any) -> Any:
    """A layer whose states can be exchanged; those of linear attention stand in dictionaries."""
    own = copy.copy(layer)
    for name, value in vars(layer).items():
        if isinstance(value, dict):
            setattr(own, name, dict(value))
    return own
