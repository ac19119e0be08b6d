"""What the owners of a site do not want: robots.txt, and headers of single files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.robotparser import RobotFileParser

MAX_ROBOTS_BYTES = 512 * 1024
"""Search engines read no more of a robots.txt either (RFC 9309, Sec. 2.5)."""

FORBID_ALL = "User-agent: *\nDisallow: /"
"""Rules that allow nothing."""

_FORBIDDING = {"noai", "noimageai", "noindex", "noimageindex", "none"}


class RobotRules:
    """The rules of one site.

    Args:
        text: of its robots.txt.
        user_agent: who asks; what stands before the first slash is the name that counts.
    """

    def __init__(self, text: str, user_agent: str) -> None:
        self.name = user_agent.partition("/")[0].strip()
        self._parser = RobotFileParser()
        self._parser.parse(text.splitlines())

    def allow(self, url: str) -> bool:
        """Whether a URL may be fetched."""
        return bool(self._parser.can_fetch(self.name, url))

    @property
    def delay(self) -> float:
        """Seconds that the site wants between two requests; 0 if it does not say."""
        asked = self._parser.crawl_delay(self.name)
        rate = self._parser.request_rate(self.name)
        per_request = rate.seconds / rate.requests if rate and rate.requests else 0.0
        return max(float(asked or 0), per_request)


def rules_for_status(status: int) -> str | None:
    """The rules of a site whose robots.txt did not come, as text; None if that is not final.

    Nothing there means that all may be fetched; that it may not be read, or that the server is
    in trouble, means that nothing may (RFC 9309, Sec. 2.3.1, and stricter for 401 and 403).
    """
    if status in (401, 403):
        return FORBID_ALL
    if 300 <= status < 500 and status != 429:
        return ""
    return None


def forbidding_header(headers: Mapping[str, str]) -> str | None:
    """The header by which a file forbids its use, if any; names in small letters.

    A word such as noimageai in X-Robots-Tag counts whichever robot it is meant for, and so does
    the reservation of text and data mining (TDMRep).
    """
    words = re.split(r"[\s,:;]+", headers.get("x-robots-tag", "").lower())
    for word in words:
        if word in _FORBIDDING:
            return f"X-Robots-Tag: {word}"
    if headers.get("tdm-reservation", "").strip() == "1":
        return "tdm-reservation: 1"
    return None
