"""Who comes next: clients take turns, whatever each of them has sent."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Waiting things of several clients.

    A client that sends a hundred at once waits behind one that sends a single one: each turn takes
    the oldest of the client whose turn was longest ago. Not thread-safe.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        """All that wait, client by client."""
        for own in self._waiting.values():
            yield from own

    def put(self, thing: T, client: str) -> None:
        """Adds one at the end of its client's line; a client that is new is last in turn."""
        self._waiting.setdefault(client, deque()).append(thing)
        self._count += 1

    def take(self) -> T | None:
        """The next one, or None if nothing waits."""
        if not self._waiting:
            return None
        client, own = next(iter(self._waiting.items()))
        thing = own.popleft()
        self._count -= 1
        if own:
            self._waiting.move_to_end(client)
        else:
            del self._waiting[client]
        return thing

    def remove(self, is_gone: Callable[[T], bool]) -> list[T]:
        """Takes out all for which `is_gone` holds, and gives them."""
        gone = [thing for thing in self if is_gone(thing)]
        if gone:
            for client in list(self._waiting):
                kept = deque(thing for thing in self._waiting[client] if not is_gone(thing))
                if kept:
                    self._waiting[client] = kept
                else:
                    del self._waiting[client]
            self._count -= len(gone)
        return gone
