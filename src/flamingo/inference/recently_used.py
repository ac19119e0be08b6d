"""Things in memory, of which those that nobody asks for are forgotten."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar, runtime_checkable

from flamingo.foundation.errors import ConfigError


@runtime_checkable
class Sized(Protocol):
    """What takes memory, such as a tensor."""

    @property
    def nbytes(self) -> int:
        """Bytes of it."""


T = TypeVar("T", bound=Sized)


class RecentlyUsed(Generic[T]):
    """Tensors, or other things, by name.

    Above a budget the one is forgotten first that was not used for longest.

    Args:
        most_bytes: of all together; None for no limit.

    Attributes:
        num_bytes: of all that are kept.

    Raises:
        ConfigError: the budget is negative.
    """

    def __init__(self, most_bytes: int | None = None) -> None:
        if most_bytes is not None and most_bytes < 0:
            raise ConfigError(
                f"most_bytes is {most_bytes}, but must be at least 0.\n"
                "It is the memory that all may take together; None sets no limit."
            )
        self.most_bytes, self.num_bytes = most_bytes, 0
        self._things: OrderedDict[str, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._things)

    def __iter__(self) -> Iterator[str]:
        """The names, the least recently used one first."""
        return iter(self._things)

    def get(self, name: str) -> T | None:
        """The one of that name, which counts as used; None if it is not here."""
        if name in self._things:
            self._things.move_to_end(name)
        return self._things.get(name)

    def put(self, name: str, thing: T) -> None:
        """Keeps one, and forgets others until the budget is met, in the end this one too.

        Nothing is freed of a tensor that shares its storage with one that is kept.
        """
        replaced = self._things.pop(name, None)
        self.num_bytes += thing.nbytes - (0 if replaced is None else replaced.nbytes)
        self._things[name] = thing
        while self.most_bytes is not None and self.num_bytes > self.most_bytes:
            self.num_bytes -= self._things.popitem(last=False)[1].nbytes
