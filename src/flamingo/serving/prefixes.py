"""What prompts begin with, read once: support sets and earlier turns, by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from flamingo.inference.prompt_inputs import PromptInputs
from flamingo.inference.recently_used import RecentlyUsed
from flamingo.inference.support_cache import SupportCache
from flamingo.inference.visual_memory import VisualMemory
from flamingo.prompting import TEMPLATES
from flamingo.sequence import EndOfChunk, Interleaved, Visual


@dataclass(frozen=True)
class Prefix:
    """The beginning of a prompt.

    Attributes:
        supports: that were read; None where a prompt begins with nothing to share.
        num_known: of its tokens, those that were read for an earlier prompt.
    """

    supports: SupportCache | None
    num_known: int


class Prefixes:
    """Finds how much of a prompt's beginning was read before, and reads the rest of it.

    A conversation that has one turn more goes on from what was read for the one before it. Above a
    budget those are forgotten that were not used for longest. For one thread.

    Args:
        inputs: of the model.
        memory: of visuals.
        most_bytes: of all keys and values that are kept; 0 keeps none.
    """

    def __init__(self, inputs: PromptInputs, memory: VisualMemory, most_bytes: int) -> None:
        self._inputs, self._memory = inputs, memory
        self._kept: RecentlyUsed[SupportCache] = RecentlyUsed(most_bytes)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def num_bytes(self) -> int:
        """Of all that are kept."""
        return self._kept.num_bytes

    def of(self, before: Interleaved) -> Prefix:
        """What has read `before`, see `of_all`."""
        return self.of_all([before])[0]

    def of_all(self, befores: Sequence[Interleaved]) -> list[Prefix]:
        """What has read each of these beginnings; the ones that are new are read together.

        Args:
            befores: closed chunks each, or nothing.

        Raises:
            SequenceError: one is longer than the language model can read.
            DataError: the store of visuals cannot be read or written.
        """
        all_ends = [_ends(before) for before in befores]
        found: dict[str, SupportCache] = {}
        known: list[int] = []
        new: dict[str, int] = {}
        for number, (before, ends) in enumerate(zip(befores, all_ends, strict=True)):
            supports, end = self._longest(ends)
            key = ends[-1][0] if ends else ""
            # Of two that begin alike one is read for the other.
            known.append(len(found[key]) if key in found else len(supports or ()))
            if supports is not None and key not in found:
                more = Interleaved(before.parts[end:])
                if more.parts:
                    supports = self._inputs.extended(supports, more, self._memory)
                    self._kept.put(key, supports)
                found[key] = supports
            elif supports is None and ends:
                new.setdefault(key, number)
        # The template says how further supports are written, which nobody asks here.
        documents = [befores[number] for number in new.values()]
        read = self._inputs.supports_all(documents, TEMPLATES["caption"], self._memory)
        for key, supports in zip(new, read, strict=True):
            found[key] = supports
            self._kept.put(key, supports)
        return [
            Prefix(found[ends[-1][0]] if ends else None, number)
            for ends, number in zip(all_ends, known, strict=True)
        ]

    def unread(self, before: Interleaved) -> Interleaved:
        """What of a beginning was not read before."""
        _, end = self._longest(_ends(before))
        return Interleaved(before.parts[end:])

    def num_known(self, before: Interleaved) -> int:
        """How many of its tokens were read before."""
        return len(self._longest(_ends(before))[0] or ())

    def _longest(self, ends: list[tuple[str, int]]) -> tuple[SupportCache | None, int]:
        """The longest beginning that is kept, and the part behind it."""
        for key, end in reversed(ends):
            if (kept := self._kept.get(key)) is not None:
                return kept, end
        return None, 0


def _ends(document: Interleaved) -> list[tuple[str, int]]:
    """Where chunks and the document end, each with a hash of all that comes before."""
    digest = hashlib.sha256()
    ends = []
    for place, part in enumerate(document.parts, 1):
        told = part.fingerprint() if isinstance(part, Visual) else repr(part)
        digest.update(f"{len(told)}:{told}".encode())
        if isinstance(part, EndOfChunk) or place == len(document.parts):
            ends.append((digest.hexdigest(), place))
    return ends
