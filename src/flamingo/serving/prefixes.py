"""What prompts begin with, read once: support sets and earlier turns, by their content."""

from __future__ import annotations

import hashlib
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
        """What has read `before`.

        Args:
            before: closed chunks.

        Raises:
            SequenceError: it is longer than the language model can read.
            DataError: the store of visuals cannot be read or written.
        """
        if not before.parts:
            return Prefix(None, 0)
        ends = _ends(before)
        for number, (key, end) in enumerate(reversed(ends)):
            known = self._kept.get(key)
            if known is None:
                continue
            if number == 0:
                return Prefix(known, len(known))
            more = Interleaved(before.parts[end:])
            return Prefix(
                self._keep(ends, self._inputs.extended(known, more, self._memory)), len(known)
            )
        # The template says how further supports are written, which nobody asks here.
        read = self._inputs.supports(before, TEMPLATES["caption"], self._memory)
        return Prefix(self._keep(ends, read), 0)

    def _keep(self, ends: list[tuple[str, int]], supports: SupportCache) -> SupportCache:
        self._kept.put(ends[-1][0], supports)
        return supports


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
