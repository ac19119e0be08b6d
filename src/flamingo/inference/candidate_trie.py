"""Log-likelihoods of very many candidates: what they begin with in common is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache

from flamingo.inference.likelihoods import padded_on_the_right, row_log_likelihoods
from flamingo.inference.room import TOKENS_AT_ONCE, rows_that_fit
from flamingo.model.growing_cache import with_rows

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


@dataclass(frozen=True)
class _Level:
    """Nodes that a cache is kept for.

    Args:
        nodes: their members have the first `depth` tokens in common.
        depth: how many tokens were read since the prompt.
        cache: has read them, of each node in its row `source`.
        held: tokens in that cache, all rows together; 0 for the prompts' own, which is not ours.
    """

    nodes: Sequence[_Node]
    depth: int
    cache: DynamicCache
    held: int


def score_by_trie(
    candidates: Sequence[Sequence[Sequence[int]]],
    start: Float[Tensor, "rows vocabulary"],
    cache: DynamicCache,
    step: Step,
    *,
    num_cached: int,
    tokens_at_once: int = TOKENS_AT_ONCE,
) -> list[list[float]]:
    """The log-likelihood of each row's candidates, summed over tokens.

    The candidates of a row form a trie. Each of its inner nodes is one token to read, and what
    follows the last fork is read at once: the cost grows with the distinct prefixes.

    All copies of the prompts' cache that are alive together, at forks that still have branches to
    read and in the reading itself, hold at most `tokens_at_once` tokens. Where that leaves no room
    for one row, one is read all the same.

    Args:
        candidates: for each row the token ids of its candidates, at least one token each.
        start: log-probabilities of the first token, per row.
        cache: of the prompts; it is not changed.
        step: runs the language model.
        num_cached: tokens of each prompt whose keys and values a copy of the cache holds.
        tokens_at_once: bounds the memory of copied caches.
    """
    walk = _Walk(candidates, step, num_cached, tokens_at_once, start.device)
    nodes = [_Node(row, row, tuple(range(len(own)))) for row, own in enumerate(candidates)]
    walk.run(_Level(nodes, 0, cache, 0), start)
    return walk.scores


class _Walk:
    """Goes down the tries of all rows together, and adds up what each token is worth."""

    def __init__(
        self,
        candidates: Sequence[Sequence[Sequence[int]]],
        step: Step,
        num_cached: int,
        tokens_at_once: int,
        device: torch.device,
    ) -> None:
        self.candidates, self.step, self.device = candidates, step, device
        self.num_cached, self.tokens_at_once = num_cached, tokens_at_once
        self.scores = [[0.0] * len(own) for own in candidates]
        self.waiting: list[_Level] = []

    def run(self, level: _Level, found: Float[Tensor, "nodes vocabulary"]) -> None:
        """Scores all members of a level's nodes, depth first.

        A cache is let go with the last fork that goes on from it: levels wait only for the rest.

        Args:
            level: its nodes, and a cache that has read what their members have in common.
            found: log-probabilities of the next token, per node.
        """
        self._open(level, found)
        while self.waiting:
            # No name for what is read: it would keep a cache alive that nothing waits for.
            self._open(*self._read_forks(self.waiting.pop()))

    def _open(self, level: _Level, found: Float[Tensor, "nodes vocabulary"]) -> None:
        """Scores the next token of all members, and those that share nothing more to their end."""
        self._add(level, found)
        children = [child for node in level.nodes for child in self._children(node, level.depth)]
        self._finish(level, [child for child in children if len(child.members) == 1])
        forks = [child for child in children if len(child.members) > 1]
        if forks:
            self.waiting.append(replace(level, nodes=forks))

    def _add(self, level: _Level, found: Float[Tensor, "nodes vocabulary"]) -> None:
        nodes = level.nodes
        places = [(i, node.row, m) for i, node in enumerate(nodes) for m in node.members]
        tokens = [self.candidates[row][member][level.depth] for _, row, member in places]
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

    def _finish(self, level: _Level, leaves: Sequence[_Node]) -> None:
        """What remains of candidates that share nothing more, each in one reading."""
        # The longest first: a batch is as wide as its first.
        waiting = sorted(leaves, key=lambda leaf: -len(self._tokens(leaf)))
        while waiting:
            num_read = len(self._tokens(waiting[0])) - level.depth - 1
            most = rows_that_fit(self._room(level), self.num_cached + level.depth, num_read)
            self._read_leaves(level, waiting[:most])
            waiting = waiting[most:]

    def _read_leaves(self, level: _Level, leaves: Sequence[_Node]) -> None:
        """One reading; its cache ends with this call, before another is made."""
        rest = [self._tokens(leaf)[level.depth :] for leaf in leaves]
        ids, mask = padded_on_the_right(rest, self.device)
        logits, _ = self._read(level, leaves, ids[:, :-1], mask[:, 1:])
        sums = row_log_likelihoods(logits, ids[:, 1:], mask[:, 1:])
        for leaf, value in zip(leaves, sums, strict=True):
            self.scores[leaf.row][leaf.members[0]] += value

    def _read_forks(self, level: _Level) -> tuple[_Level, Float[Tensor, "nodes vocabulary"]]:
        """Reads the next token of as many forks as half of the room takes; the others wait on."""
        depth = level.depth
        most = rows_that_fit(self._room(level) // 2, self.num_cached + depth, 1)
        piece, rest = level.nodes[:most], level.nodes[most:]
        if rest:
            self.waiting.append(replace(level, nodes=rest))
        tokens = [[self._tokens(node)[depth]] for node in piece]
        ids, mask = padded_on_the_right(tokens, self.device)
        logits, own = self._read(level, piece, ids, mask)
        renamed = [_Node(node.row, i, node.members) for i, node in enumerate(piece)]
        held = len(piece) * (self.num_cached + depth + 1)
        found = logits[:, 0].log_softmax(-1, dtype=torch.float32)
        return _Level(renamed, depth + 1, own, held), found

    def _room(self, level: _Level) -> int:
        """Tokens that no cache holds: neither this level's nor one of those that wait."""
        return self.tokens_at_once - level.held - sum(other.held for other in self.waiting)

    def _read(
        self,
        level: _Level,
        nodes: Sequence[_Node],
        ids: Int[Tensor, "nodes tokens"],
        mask: Int[Tensor, "nodes tokens"],
    ) -> tuple[Float[Tensor, "nodes tokens vocabulary"], DynamicCache]:
        """The logits of tokens that follow the nodes, and a cache that has read them too."""
        sources = torch.tensor([node.source for node in nodes], device=self.device)
        own = with_rows(level.cache, sources)
        return self.step(ids, mask, own, [node.row for node in nodes]), own

    def _tokens(self, node: _Node) -> Sequence[int]:
        return self.candidates[node.row][node.members[0]]
