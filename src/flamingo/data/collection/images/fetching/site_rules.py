"""The robots.txt of every site that is visited, asked for once a day."""

from __future__ import annotations

import time
from pathlib import Path

from flamingo.data.collection.images.fetching.cache import FetchCache, Kept
from flamingo.data.collection.images.fetching.destinations import (
    Destination,
    Refused,
    Unreachable,
    destination_of,
)
from flamingo.data.collection.images.fetching.requests import BoundedRequests
from flamingo.data.collection.images.fetching.robots import (
    FORBID_ALL,
    MAX_ROBOTS_BYTES,
    RobotRules,
    rules_for_status,
)
from flamingo.data.collection.images.fetching.turns import HostTurns

_SECONDS = 24 * 3600.0
"""RFC 9309, Sec. 2.4."""


class SiteRules:
    """Rules by site, kept in memory and in a folder.

    Args:
        folder: that processes share.
        requests: how they are asked for.
        turns: so that one process asks, and others wait for its answer.
    """

    def __init__(self, folder: Path, requests: BoundedRequests, turns: HostTurns) -> None:
        self._cache = FetchCache(folder)
        self._requests, self._turns = requests, turns
        self._rules: dict[str, RobotRules] = {}

    def of(self, place: Destination) -> RobotRules:
        """The rules for a place.

        Raises:
            Refused: they lie where nothing may be fetched.
            Unreachable: the site does not give them, so that nothing is known to be allowed.
        """
        if (rules := self._rules.get(place.origin)) is not None:
            return rules
        address = f"{place.origin}/robots.txt"
        with self._turns.turn(f"robots of {place.origin}", 0.0):
            kept = self._cache.get(address)
            if kept is None or time.time() - kept.moment > _SECONDS:
                text = self._text(address)
                kept = Kept(text.encode("utf-8", "replace"), moment=time.time())
                self._cache.put(address, kept)
        text = (kept.content or b"").decode("utf-8", "replace")
        user_agent = self._requests.politeness.user_agent
        self._rules[place.origin] = RobotRules(text, user_agent)
        return self._rules[place.origin]

    def _text(self, address: str) -> str:
        limits = self._requests.politeness
        place = destination_of(address, allow_private=limits.allow_private)
        for _ in range(limits.max_redirects + 1):
            try:
                answer = self._requests.uncounted(place, MAX_ROBOTS_BYTES)
            except Refused:
                # Rules that are too long to be read may forbid everything.
                return FORBID_ALL
            location = answer.headers.get("location", "")
            if 300 <= answer.status < 400 and location:
                place = place.redirected(location, allow_private=limits.allow_private)
                continue
            if 200 <= answer.status < 300:
                return answer.body.decode("utf-8-sig", "replace")
            text = rules_for_status(answer.status)
            if text is None:
                raise Unreachable(f"robots.txt of {place.host} answers {answer.status}.")
            return text
        # What lies behind so many redirects counts as not there (RFC 9309, Sec. 2.3.1.2).
        return ""
