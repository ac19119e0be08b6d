"""Log-likelihoods of candidates that branch off one prompt, all read in its own row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from flamingo.inference.room import READ_AT_ONCE
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.growing_cache import GrowingCache

_NODES_AT_ONCE = 1024
"""Tokens of one row that are read together: each is held against all others."""

_MASKED_ATTENTION = ("eager", "sdpa")


@dataclass
class Tree:
    """Some candidates of a prompt; what several begin with is there once.

    Attributes:
        members: numbers of the candidates.
        tokens: of each node: all tokens of the candidates but the last ones.
        parents: the node before each; -1 behind the prompt.
        depths: how many nodes are before each.
        asked: per candidate the nodes behind which its second and further tokens are scored.
    """

    members: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    asked: list[list[int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.tokens)

    def ancestors(self) -> Bool[Tensor, "nodes nodes"]:
        """Which nodes each one may look at: itself and those that lead to it."""
        seen = torch.eye(len(self), dtype=torch.bool)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                seen[node] |= seen[parent]
        return seen


def grown(candidates: Sequence[Sequence[int]], most: int) -> Iterator[Tree]:
    """Trees that hold all candidates, each of at most `most` nodes, or of one candidate.

    Neighbors in alphabetical order come into one tree, so that little is read twice.
    """
    tree, places = Tree(), dict[tuple[int, ...], int]()
    for number in sorted(range(len(candidates)), key=lambda i: tuple(candidates[i])):
        inner = tuple(candidates[number][:-1])
        new = sum(inner[: end + 1] not in places for end in range(len(inner)))
        if tree.members and len(tree) + new > most:
            yield tree
            tree, places = Tree(), {}
        nodes: list[int] = []
        for end in range(len(inner)):
            place = places.setdefault(inner[: end + 1], len(tree))
            if place == len(tree):
                tree.tokens.append(inner[end])
                tree.parents.append(nodes[-1] if nodes else -1)
                tree.depths.append(end)
            nodes.append(place)
        tree.members.append(number)
        tree.asked.append(nodes)
    if tree.members:
        yield tree


def can_grow(model: FlamingoForConditionalGeneration, cache: GrowingCache) -> bool:
    """Whether the language model can read a tree: its tokens stand at places of their own.

    It must take a mask and positions from outside, and keep each token apart. Sliding windows,
    recurrent states and biases by distance (ALiBi) know of rows only.
    """
    config = model.config
    text = config.get_text_config(decoder=True)
    return (
        "position_ids" in model.host.accepts
        # Falcon takes positions, and may have ALiBi all the same; GPT-Neo's window is not in its
        # cache.
        and not getattr(text, "alibi", False)
        and "local" not in (getattr(text, "attention_layers", None) or ())
        and model.language_model.config._attn_implementation in _MASKED_ATTENTION
        and config.xattn_kind != "grafting"
        and cache.keeps_each_token
    )


def score_by_trees(
    model: FlamingoForConditionalGeneration,
    candidates: Sequence[Sequence[Sequence[int]]],
    start: Float[Tensor, "rows vocabulary"],
    cache: GrowingCache,
    mask: Int[Tensor, "rows tokens"],
    last: Int[Tensor, "rows 1"] | None,
) -> list[list[float]]:
    """The log-likelihood of each row's candidates, summed over tokens.

    A tree is read as if it were text behind the prompt, each token with a mask that shows it the
    prompt and its own beginning. So no keys are copied, and the cost grows with the distinct
    beginnings of candidates. Then the tree is taken back, and the next one read.

    Args:
        model: a Flamingo, see `can_grow`.
        candidates: for each row the token ids of its candidates, at least one token each.
        start: log-probabilities of the first token, per row.
        cache: has read the prompts; it is the same afterwards.
        mask: which tokens of the prompts are real.
        last: φ of each prompt's last token.
    """
    scores = [[0.0] * len(own) for own in candidates]
    firsts = [(r, n, tokens[0]) for r, own in enumerate(candidates) for n, tokens in enumerate(own)]
    _add(scores, firsts, start[[r for r, _, _ in firsts], [token for _, _, token in firsts]])
    most = max(1, min(_NODES_AT_ONCE, READ_AT_ONCE // len(candidates)))
    waiting = [list(grown(own, most)) for own in candidates]
    for step in range(max(len(own) for own in waiting)):
        trees = [own[step] if step < len(own) else Tree() for own in waiting]
        found = _read(model, trees, cache, mask, last)
        asked = [
            (row, member, node, token)
            for row, tree in enumerate(trees)
            for member, nodes in zip(tree.members, tree.asked, strict=True)
            for node, token in zip(nodes, candidates[row][member][1:], strict=True)
        ]
        if asked:
            rows, _, nodes, tokens = zip(*asked, strict=True)
            places = [(row, member, token) for row, member, _, token in asked]
            _add(scores, places, found[list(rows), list(nodes), list(tokens)])
    return scores


def _add(
    scores: list[list[float]],
    places: Sequence[tuple[int, int, int]],
    values: Float[Tensor, " places"],
) -> None:
    """Adds values to the scores of rows and candidates; a GPU is waited for once."""
    for (row, member, _), value in zip(places, values.tolist(), strict=True):
        scores[row][member] += value


def _read(
    model: FlamingoForConditionalGeneration,
    trees: Sequence[Tree],
    cache: GrowingCache,
    mask: Int[Tensor, "rows tokens"],
    last: Int[Tensor, "rows 1"] | None,
) -> Float[Tensor, "rows nodes vocabulary"]:
    """Log-probabilities behind each node of one tree per row; the cache is as it was before."""
    most = max(map(len, trees))
    if not most:
        return mask.new_zeros(len(trees), 0, 0, dtype=torch.float32)
    device, num_read = mask.device, mask.shape[1]
    ids = torch.zeros(len(trees), most, dtype=torch.long)
    depths = torch.zeros_like(ids)
    sees = torch.eye(most, dtype=torch.bool).repeat(len(trees), 1, 1)
    for row, tree in enumerate(trees):
        ids[row, : len(tree)] = torch.tensor(tree.tokens)
        depths[row, : len(tree)] = torch.tensor(tree.depths)
        sees[row, : len(tree), : len(tree)] = tree.ancestors()
    prompt = mask.bool()[:, None].expand(-1, most, -1)
    visible = torch.cat([prompt, sees.to(device)], dim=2)[:, None]
    dtype = model.language_model.dtype
    inputs = {
        "input_ids": ids.to(device),
        "position_ids": mask.sum(1, keepdim=True) + depths.to(device),
        # Added to the scores: eager attention takes no other form.
        "attention_mask": torch.zeros_like(visible, dtype=dtype).masked_fill(
            ~visible, torch.finfo(dtype).min
        ),
    }
    if last is not None:
        inputs["visual_index"] = last.expand(-1, most)
    logits: Tensor = model(**inputs, past_key_values=cache, use_cache=True).logits
    cache.crop(num_read - cache.get_seq_length())
    return logits.log_softmax(-1, dtype=torch.float32)
