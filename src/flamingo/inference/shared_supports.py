"""Which requests share their supports, and the support sets that were read for them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from flamingo.inference.recently_used import RecentlyUsed
from flamingo.inference.requests import Request
from flamingo.inference.support_cache import SupportCache
from flamingo.sequence import Visual


@dataclass(frozen=True)
class Group:
    """Requests that are answered in the same way.

    Attributes:
        numbers: of the requests, those with long queries first.
        after: the supports that they go on from; None where each is read whole.
    """

    numbers: Sequence[int]
    after: SupportCache | None


class SharedSupports:
    """Support sets that were read, by content, the most recently used ones.

    Args:
        read: reads the supports of a request.
        most_bytes: of all that are kept.
    """

    def __init__(self, read: Callable[[Request], SupportCache], most_bytes: int) -> None:
        self._read = read
        self._kept: RecentlyUsed[SupportCache] = RecentlyUsed(most_bytes)

    def __len__(self) -> int:
        return len(self._kept)

    def groups(self, requests: Sequence[Request]) -> Iterator[Group]:
        """Sorts requests by their supports, open-ended and close-ended ones apart.

        A support set is read ahead where it pays: where several requests have it, where it was
        read before, or where a request comes alone, since more with its supports may follow.
        Sets of one request among many, as RICES gives, are left to be read in one batch. Each is
        read when its group comes, so that no more sets are there than the budget allows and one.
        """
        keys = [self._key(request) for request in requests]
        counts = Counter(keys)
        found: dict[tuple[str, bool], list[int]] = {}
        for number, (key, request) in enumerate(zip(keys, requests, strict=True)):
            is_shared = counts[key] > 1 or len(requests) == 1 or self._kept.get(key) is not None
            kept = key if is_shared or request.after is not None else ""
            found.setdefault((kept, bool(request.choices)), []).append(number)
        for (key, _), numbers in found.items():
            numbers.sort(key=lambda number: -len(requests[number].query_prompt().text))
            yield Group(numbers, self._supports(key, requests[numbers[0]]))

    def _supports(self, key: str, request: Request) -> SupportCache | None:
        if not key or request.after is not None:
            return request.after
        supports = self._kept.get(key)
        if supports is None:
            supports = self._read(request)
            self._kept.put(key, supports)
        return supports

    def _key(self, request: Request) -> str:
        """What tells the supports of a request; empty where there is nothing to read ahead."""
        if request.after is not None:
            return f"given {id(request.after)}"
        if not request.supports or self._kept.most_bytes == 0:
            return ""
        parts = [
            part.fingerprint() if isinstance(part, Visual) else repr(part)
            for part in request.support_prompt().parts
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
