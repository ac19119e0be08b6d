"""Decoded visuals that may be sent again, as the supports of a conversation are with each turn."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from flamingo.sequence import Visual


class VisualCache:
    """Keeps what was used last; may be used by several threads.

    Args:
        most_bytes: of all pixels together.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._visuals: OrderedDict[Hashable, Visual] = OrderedDict()
        self.num_bytes = 0

    def get(self, key: Hashable) -> Visual | None:
        """What was put there, if it is still kept."""
        with self._lock:
            visual = self._visuals.get(key)
            if visual is not None:
                self._visuals.move_to_end(key)
            return visual

    def put(self, key: Hashable, visual: Visual) -> None:
        """Keeps a visual, and forgets those that were not used for the longest time."""
        with self._lock:
            if key in self._visuals or visual.frames.nbytes > self._most_bytes:
                return
            self._visuals[key] = visual
            self.num_bytes += visual.frames.nbytes
            while self.num_bytes > self._most_bytes:
                _, old = self._visuals.popitem(last=False)
                self.num_bytes -= old.frames.nbytes
