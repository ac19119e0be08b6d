"""Work that takes several turns."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from flamingo.serving.accepted import Accepted


@runtime_checkable
class Running(Protocol):
    """Work on one job or several, a piece of which is done in each turn."""

    @property
    def num_rows(self) -> int:
        """Rows of a batch that it still takes; 0 once it is over."""

    def accepted(self) -> list[Accepted]:
        """The jobs that are not over."""

    def step(self) -> None:
        """The next piece."""
