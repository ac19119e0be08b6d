"""Files of other servers, of those alone that the operator has named."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

from flamingo.data.collection.images.fetching.answers import Answer, answer_of
from flamingo.data.collection.images.fetching.destinations import (
    Destination,
    Refused,
    Unreachable,
    destination_of,
)
from flamingo.data.collection.sources.addresses import canonical
from flamingo.foundation.errors import MediaError, reason
from flamingo.serving.allowed_hosts import AllowedHosts
from flamingo.serving.limits import Limits

_USER_AGENT = "flamingo-vlm"
_MOST_REDIRECTS = 3
_SECONDS = 10.0
_INSTEAD = "Send the file itself: as a data: URL, or by POST /v1/files."


class RemoteFiles:
    """Fetches what requests name by URL.

    A host is looked up only if it is allowed, and the connection goes to the very number that was
    found not to be private. Redirects are followed as if they had been asked for.

    Args:
        hosts: that are allowed, as `AllowedHosts` takes them; without any, every URL is refused.
        limits: of which `visual_bytes` bounds each file.
        seconds: for one file with all its redirects, but for looking hosts up.
        allow_private: whether the hosts may lie on this machine or in its network: for tests.

    Raises:
        ConfigError: a host is not written as one.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        limits: Limits,
        *,
        seconds: int | float = _SECONDS,
        allow_private: bool = False,
    ) -> None:
        self._hosts = AllowedHosts(hosts)
        self._most_bytes, self._seconds = limits.visual_bytes, seconds
        self._allow_private = allow_private

    def read(self, url: str) -> bytes:
        """Fetches one file; may wait as long as `seconds`.

        Raises:
            MediaError: the address is not allowed, or does not give a file.
        """
        end = time.monotonic() + self._seconds
        for _ in range(_MOST_REDIRECTS + 1):
            place = self._checked(url)
            answer = self._answer(place, end)
            location = answer.headers.get("location", "")
            if not (300 <= answer.status < 400 and location):
                return _file(place, answer)
            try:
                url = urljoin(place.url, location)
            except ValueError as error:
                raise MediaError(f"{place.host} redirects to what is no address.") from error
        raise MediaError(f"there are more than {_MOST_REDIRECTS} redirects.\n{_INSTEAD}")

    def _checked(self, url: str) -> Destination:
        """Where an address leads, if it may be asked."""
        if not self._hosts:
            raise MediaError(f"this server fetches no URLs.\n{_INSTEAD}")
        host, port, scheme = _host_of(url)
        if not self._hosts.allow(host, port, scheme):
            raise MediaError(
                f"the host {host[:100]!r} (port {port}) is not among those that this server "
                f"fetches from.\n{_INSTEAD}"
            )
        try:
            place = destination_of(url, allow_private=self._allow_private)
        except Refused as error:
            raise MediaError(
                f"{host[:100]} does not lie in the public web, so it is not asked.\n{_INSTEAD}"
            ) from error
        except Unreachable as error:
            raise MediaError(f"the host {host[:100]} is not known.\nCheck the spelling.") from error
        # What is asked must be what was allowed, however the address is written.
        if (place.host, place.port, place.scheme) != (host, port, scheme):
            raise MediaError("the URL can be read in two ways.\nWrite it plainly.")
        return place

    def _answer(self, place: Destination, end: float) -> Answer:
        seconds = end - time.monotonic()
        if seconds <= 0:
            raise MediaError(f"{place.host} took longer than {self._seconds:g} s.\n{_INSTEAD}")
        try:
            return answer_of(place, _USER_AGENT, max_bytes=self._most_bytes, seconds=seconds)
        except (Refused, Unreachable) as error:
            raise MediaError(
                f"{place.host} did not send it: {reason(error)}\n{_INSTEAD}"
            ) from error


def _file(place: Destination, answer: Answer) -> bytes:
    if answer.status != 200 or not answer.body:
        raise MediaError(f"{place.host} answers {answer.status} and no file.\n{_INSTEAD}")
    return answer.body


def _host_of(url: str) -> tuple[str, int, str]:
    """Host, port and scheme of an address, in the spelling that is compared."""
    try:
        parts = urlsplit(canonical(url))
        host, port = parts.hostname, parts.port
        has_login = "@" in urlsplit(url.strip()).netloc
    except ValueError as error:
        raise MediaError("the URL is no address.\nWrite https://example.org/a.png.") from error
    if has_login:
        raise MediaError("the URL has a name or a password in it.\nLeave them out.")
    default = {"http": 80, "https": 443}.get(parts.scheme)
    if default is None or not host:
        raise MediaError("the URL does not begin with http:// or https:// and a host.")
    return host, default if port is None else port, parts.scheme
