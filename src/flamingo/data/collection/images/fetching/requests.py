"""Requests that are counted, and none to hosts that do not answer."""

from __future__ import annotations

import threading
from collections import Counter

from flamingo.data.collection.images.fetching.answers import Answer, answer_of
from flamingo.data.collection.images.fetching.destinations import Destination, Unreachable
from flamingo.data.collection.images.fetching.politeness import Politeness
from flamingo.foundation.errors import DataError

_FAILURES_OF_A_DEAD_HOST = 3


class OverLimit(DataError):  # noqa: N818 (what it is, not what happened)
    """No more may be fetched by this process."""


class BoundedRequests:
    """All requests of one process; its threads share it.

    Args:
        politeness: the bounds.

    Attributes:
        num_requests: counted ones so far.
        num_bytes: of their answers.
    """

    def __init__(self, politeness: Politeness) -> None:
        self.politeness = politeness
        self.num_requests = self.num_bytes = 0
        self._lock = threading.Lock()
        self._failures: Counter[str] = Counter()

    def counted(self, place: Destination) -> Answer:
        """One request for a file.

        Raises:
            OverLimit: there may be no more of them.
            Refused: the file is too large.
            Unreachable: it did not come.
        """
        limits = self.politeness
        with self._lock:
            if self.num_requests >= limits.max_requests:
                raise OverLimit(f"the limit of {limits.max_requests:,} requests is reached.")
            if self.num_bytes >= limits.max_total_bytes:
                raise OverLimit(f"the limit of {limits.max_total_bytes:,} bytes is reached.")
            self.num_requests += 1
        answer = self.uncounted(place, limits.max_bytes)
        with self._lock:
            self.num_bytes += len(answer.body)
        return answer

    def uncounted(self, place: Destination, max_bytes: int) -> Answer:
        """One request that no limit is held against.

        Raises:
            Refused: the answer is too large.
            Unreachable: it did not come, or the host has failed three times in a row.
        """
        if self._failures[place.origin] >= _FAILURES_OF_A_DEAD_HOST:
            raise Unreachable(f"{place.host} has not answered {_FAILURES_OF_A_DEAD_HOST} times.")
        try:
            answer = answer_of(
                place,
                self.politeness.user_agent,
                max_bytes=max_bytes,
                seconds=self.politeness.seconds,
            )
        except Unreachable:
            with self._lock:
                self._failures[place.origin] += 1
            raise
        with self._lock:
            self._failures.pop(place.origin, None)
        return answer
