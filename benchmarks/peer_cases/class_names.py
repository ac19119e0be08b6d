"""A thousand class names: what is read of them, and what a loop over them would read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from torch import Tensor, nn

from benchmarks.case_records import Case
from benchmarks.peers import Peers
from benchmarks.turns import take_turns, timed
from flamingo.foundation.randomness import generator
from flamingo.inference.scoring import score_rows
from flamingo.model.flamingo import FlamingoForConditionalGeneration

_MORE = 1.05
"""Some beginnings are read twice, where names come in several pieces."""


@dataclass
class Reading:
    """Tokens that went through the language model."""

    tokens: int = 0


@contextmanager
def counted(model: FlamingoForConditionalGeneration) -> Iterator[Reading]:
    """Counts what the language model reads, rows times tokens."""
    found = Reading()

    def note(module: nn.Module, args: Any, kwargs: dict[str, Tensor]) -> None:
        hidden = args[0] if args else kwargs["hidden_states"]
        found.tokens += hidden.shape[0] * hidden.shape[1]

    handle = model.host.layers[0].register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield found
    finally:
        handle.remove()


def class_names(count: int, vocabulary: int, end: int) -> list[list[int]]:
    """Different names of two to four pieces, closed by `end`.

    Ten names on the average begin with one of the same pieces; the further pieces are drawn from
    ten times as many.
    """
    rng = generator("class names")
    first = max(2, count // 10)
    names: dict[tuple[int, ...], None] = {}
    while len(names) < count:
        pieces = [int(rng.integers(first))]
        pieces += [int(rng.integers(10 * first)) for _ in range(int(rng.integers(1, 4)))]
        names[tuple(4 + piece % (vocabulary - 4) for piece in pieces)] = None
    return [[*name, end] for name in names]


def distinct_prefixes(names: Sequence[Sequence[int]]) -> int:
    """Nodes of the names' trie that must be read: a name's last token is predicted and not read."""
    return len({tuple(name[:end]) for name in names for end in range(1, len(name))})


def measure(peers: Peers, rounds: int) -> list[Case]:
    """Tokens read, and the time of it, for growing numbers of names."""
    scale, model = peers.scale, peers.ours
    inputs = peers.few_shot_inputs(scale.name_shots)
    prompt = inputs["input_ids"].shape[1]
    most = class_names(
        scale.names[-1], scale.sizes.vocabulary, peers.predictor.encoder.prepared.ids.eoc
    )

    readings: dict[int, Reading] = {}

    def score(count: int) -> None:
        with counted(model) as readings[count]:
            score_rows(model, inputs, [most[:count]])

    taken = take_turns({f"{n} names": timed(partial(score, n)) for n in scale.names}, rounds)
    said = [
        f"{n} names: {distinct_prefixes(most[:n])} prefixes, {own.tokens - prompt} tokens read "
        f"beside the prompt, {median(one.wall_seconds for one in taken[f'{n} names']):.2f} s"
        for n, own in sorted(readings.items())
    ]
    found = readings[len(most)]
    by_loop = sum(prompt + len(name) - 1 for name in most)
    ratio = by_loop / found.tokens
    return [
        Case(
            "class-names", ratio, by_loop / _MORE / (prompt + distinct_prefixes(most)),
            (ratio, ratio),
            f"{len(most)}-way class names at {scale.name_shots} shots: tokens that a loop over "
            "the names reads over those that are read",
            ours=found.tokens, peer=by_loop, unit="tokens", against="a loop", rounds=rounds,
            note=f"The goal is the prompt of {prompt} tokens and every distinct prefix once, and "
            f"{_MORE - 1:.0%} more. {'; '.join(said)}.",
        )
    ]  # fmt: skip
