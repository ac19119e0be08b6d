"""Which samples go into which shard, and one shard written from the pieces that hold them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flamingo.data.collection.pieces import PieceDecision, Sample
from flamingo.data.datasets.shards import ShardedSamples
from flamingo.data.datasets.writing import write_shard
from flamingo.foundation.records import to_plain

_READ_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Part:
    """Samples of one piece.

    Attributes:
        path: of the piece's samples.
        decision: what was decided about them.
        numbers: those that are meant, in order.
    """

    path: Path
    decision: PieceDecision
    numbers: Sequence[int]


@dataclass(frozen=True)
class ShardPlan:
    """One shard, before it is written.

    Attributes:
        path: of the shard.
        parts: what goes into it, in order.
    """

    path: Path
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class ShardRecord:
    """What is in a shard.

    Attributes:
        name: of the file.
        num_bytes: its size.
        sha256: of its bytes.
        num_samples: in it.
        num_visuals: pictures, and frames or files of clips, in it.
        num_words: of all its texts.
        licenses: how many samples are under which, "" for those that do not say.
    """

    name: str
    num_bytes: int
    sha256: str
    num_samples: int
    num_visuals: int
    num_words: int
    licenses: dict[str, int] = field(default_factory=dict)


def plan_shards(
    pieces: Iterable[tuple[Path, PieceDecision]], prefix: Path, samples_per_shard: int
) -> list[ShardPlan]:
    """Cuts all samples that stay, in order, into shards of one size; the last is smaller.

    Args:
        pieces: where the samples of each piece are, and what was decided about them.
        prefix: folder and beginning of the shards' names.
        samples_per_shard: of every shard but the last.
    """
    plans: list[ShardPlan] = []
    parts: list[Part] = []
    room = samples_per_shard

    def close() -> None:
        path = prefix.with_name(f"{prefix.name}-{len(plans):06d}.tar")
        plans.append(ShardPlan(path, tuple(parts)))
        parts.clear()

    for path, decision in pieces:
        left = list(decision.kept)
        while left:
            taken, left = left[:room], left[room:]
            parts.append(Part(path, decision, tuple(taken)))
            room -= len(taken)
            if room == 0:
                close()
                room = samples_per_shard
    if parts:
        close()
    return plans


def make_shard(plan: ShardPlan) -> dict[str, Any]:
    """Writes a shard, if it is not there yet, and says what is in it, as plain data."""
    if not plan.path.is_file():
        write_shard(plan.path, _samples(plan))
    described: dict[str, Any] = to_plain(describe_shard(plan.path))
    return described


def describe_shard(path: Path) -> ShardRecord:
    """What is in a shard, counted from the file itself."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_AT_ONCE):
            digest.update(block)
    store = ShardedSamples([str(path)])
    num_visuals = num_words = 0
    licenses: Counter[str] = Counter()
    for number in range(len(store)):
        raw = store[number]
        num_visuals += sum(name not in ("json", "txt") for name in raw.names)
        fields = json.loads(raw.read("json")) if "json" in raw.names else {}
        licenses[str(fields.get("license") or "")] += 1
        num_words += sum(len(text.split()) for text in _texts(fields))
        if "txt" in raw.names:
            num_words += len(raw.read("txt").split())
    return ShardRecord(
        name=path.name,
        num_bytes=path.stat().st_size,
        sha256=digest.hexdigest(),
        num_samples=len(store),
        num_visuals=num_visuals,
        num_words=num_words,
        licenses=dict(sorted(licenses.items())),
    )


def _texts(fields: Mapping[str, Any]) -> Iterator[str]:
    """The texts of a page, or the caption of a pair."""
    texts = fields.get("texts")
    for text in texts if isinstance(texts, list) else [fields.get("text"), fields.get("caption")]:
        if isinstance(text, str):
            yield text


def _samples(plan: ShardPlan) -> Iterator[Sample]:
    for part in plan.parts:
        store = ShardedSamples([str(part.path)])
        for number in part.numbers:
            raw = store[number]
            members = {name: raw.read(name) for name in raw.names}
            yield f"{part.path.stem}-{number:06d}", part.decision.final(number, members)
