"""Fetches what pages show, as a guest of those who publish it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from flamingo.data.collection.images.fetching.answers import Answer
from flamingo.data.collection.images.fetching.cache import FetchCache, Kept
from flamingo.data.collection.images.fetching.destinations import (
    Destination,
    Refused,
    Unreachable,
    destination_of,
)
from flamingo.data.collection.images.fetching.politeness import Politeness
from flamingo.data.collection.images.fetching.requests import BoundedRequests, OverLimit
from flamingo.data.collection.images.fetching.robots import forbidding_header
from flamingo.data.collection.images.fetching.site_rules import SiteRules
from flamingo.data.collection.images.fetching.turns import HostTurns
from flamingo.foundation.errors import ConfigError, reason

_ASK_LATER = (429, 503)

_LOCKS = 1024
"""Addresses share so many locks: few that differ have the same."""

Result = Literal["fetched", "refused", "failed", "over limit"]


@dataclass(frozen=True)
class Fetched:
    """What became of an address.

    Attributes:
        address: as it was given.
        result: "refused" is final and remembered; "failed" and "over limit" are tried again by the
            next process.
        reason: why there is no content.
        content: the file.
    """

    address: str
    result: Result
    reason: str = ""
    content: bytes | None = field(default=None, repr=False)


class PoliteFetcher:
    """Fetches files of the public web, each once, and only what its owners allow.

    What robots.txt or a header such as `X-Robots-Tag: noimageai` forbids is not kept. Threads and
    processes that share `folder` also share its cache and wait for each other host by host.

    Args:
        folder: for what was fetched, and for what keeps requests apart.
        politeness: how to behave.

    Attributes:
        requests: what this process has asked for so far.
    """

    def __init__(self, folder: Path, politeness: Politeness) -> None:
        self.folder, self.politeness = folder, politeness
        self.cache = FetchCache(folder / "files")
        self.requests = BoundedRequests(politeness)
        self._turns = HostTurns(folder / "hosts", politeness.per_host)
        self._rules = SiteRules(folder / "robots", self.requests, self._turns)
        self._one_at_a_time = tuple(threading.Lock() for _ in range(_LOCKS))

    def fetch(self, address: str) -> Fetched:
        """Gets a file, from the cache if it is there; never raises on what the web does."""
        # Threads that want the same wait here: what the first gets is kept before the next looks.
        with self._one_at_a_time[hash(address) % _LOCKS]:
            return self._fetched(address)

    def _fetched(self, address: str) -> Fetched:
        if (kept := self.cache.get(address)) is not None:
            return _from_cache(address, kept)
        try:
            answer = self._followed(address)
        except Refused as error:
            self.cache.put(address, Kept(None, reason(error), moment=time.time()))
            return Fetched(address, "refused", reason(error))
        except Unreachable as error:
            return Fetched(address, "failed", reason(error))
        except OverLimit as error:
            return Fetched(address, "over limit", reason(error))
        if isinstance(answer, Kept):
            return _from_cache(address, answer)
        kind = answer.headers.get("content-type", "")
        self.cache.put(address, Kept(answer.body, "", kind, time.time()))
        return Fetched(address, "fetched", content=answer.body)

    def fetch_all(self, addresses: Iterable[str], num_threads: int = 16) -> Iterator[Fetched]:
        """Gets many files at once, in order, each as `fetch` does.

        Raises:
            ConfigError: `num_threads` is below 1.
        """
        if num_threads < 1:
            raise ConfigError(f"num_threads={num_threads} is impossible.\nGive 1 or more.")
        left = iter(addresses)
        with ThreadPoolExecutor(num_threads) as pool:
            # In blocks, so that a list of millions does not wait in memory.
            while block := list(islice(left, 16 * num_threads)):
                yield from pool.map(self.fetch, block)

    def __reduce__(self) -> tuple[Any, ...]:
        # Locks stay where they are; what was fetched is in the folder.
        return (PoliteFetcher, (self.folder, self.politeness))

    def _followed(self, address: str) -> Answer | Kept:
        """The answer for an address, behind all redirects."""
        place = destination_of(address, allow_private=self.politeness.allow_private)
        for _ in range(self.politeness.max_redirects + 1):
            rules = self._rules.of(place)
            if not rules.allow(place.url):
                raise Refused(f"robots.txt of {place.host} does not allow it.")
            if rules.delay > self.politeness.max_delay:
                raise Refused(f"{place.host} asks to be visited every {rules.delay:g} s only.")
            answer = self._asked(address, place, max(self.politeness.delay, rules.delay))
            if isinstance(answer, Kept):
                return answer
            location = answer.headers.get("location", "")
            if not (300 <= answer.status < 400 and location):
                return _usable(answer)
            place = place.redirected(location, allow_private=self.politeness.allow_private)
        raise Refused(f"there are more than {self.politeness.max_redirects} redirects.")

    def _asked(self, address: str, place: Destination, delay: float) -> Answer | Kept:
        """One answer, after retries where the server says to come later."""
        wait = self.politeness.backoff
        for _ in range(self.politeness.retries + 1):
            with self._turns.turn(place.origin, delay):
                # Another thread may have fetched it while this one waited for its turn.
                if (kept := self.cache.get(address)) is not None:
                    return kept
                answer = self.requests.counted(place)
            if answer.status not in _ASK_LATER:
                break
            wanted = max(wait, _seconds(answer.headers.get("retry-after", "")))
            self._turns.postpone(place.origin, min(wanted, self.politeness.max_delay))
            wait *= 2
        return answer


@dataclass(frozen=True)
class FetchedImages:
    """Images from the web, as `ImageFinder` finds them.

    Args:
        fetcher: how they are fetched.
    """

    fetcher: PoliteFetcher

    def find(self, page_address: str, image_address: str) -> bytes | None:
        """See `ImageFinder`."""
        if not image_address.lower().startswith(("http://", "https://")):
            return None
        return self.fetcher.fetch(image_address).content


def _usable(answer: Answer) -> Answer:
    """The answer, if it is a file that may be used.

    Raises:
        Refused: it is none, or is not to be used.
        Unreachable: the server is in trouble.
    """
    if answer.status >= 500 or answer.status in (408, 425, *_ASK_LATER):
        raise Unreachable(f"the server answers {answer.status}.")
    if not 200 <= answer.status < 300 or not answer.body:
        raise Refused(f"the server answers {answer.status} and no file.")
    if (header := forbidding_header(answer.headers)) is not None:
        raise Refused(f"its owner forbids the use: {header}.")
    return answer


def _from_cache(address: str, kept: Kept) -> Fetched:
    result: Result = "refused" if kept.content is None else "fetched"
    return Fetched(address, result, kept.reason, kept.content)


def _seconds(text: str) -> float:
    return float(text) if text.strip().isdecimal() and len(text) < 10 else 0.0
