"""One spelling for addresses that lead to the same page, and the time at which it was fetched."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_TRACKING = re.compile(
    r"utm_\w+|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|yclid|twclid|ttclid|igshid|mkt_tok|"
    r"mc_[ce]id|_hs(enc|mi)|_ga|_gl|vero_id|oly_(anon|enc)_id",
    re.IGNORECASE,
)
"""Parameters that say where a reader came from and do not change the page."""

_PORTS = {"http": ":80", "https": ":443"}
_LONGEST_PARSED = 4096
"""Characters; longer ones are `data:` URLs, or not meant for a browser."""


def is_url(address: str) -> bool:
    """Whether an address is of the web, and not a path below some folder."""
    return address[:8].lower().startswith(("http://", "https://"))


def canonical_address(address: str) -> str:
    """A URL with scheme and host in small letters, without fragment, default port and tracking.

    Paths and whatever else is no URL of the web stay as they are.
    """
    if not is_url(address) or len(address) > _LONGEST_PARSED:
        return address
    try:
        scheme, host, path, query, _ = urlsplit(address)
    except ValueError:  # such as an open bracket in the host
        return address
    host = host.lower().removesuffix(_PORTS[scheme])
    if query:
        fields = query.split("&")
        query = "&".join(one for one in fields if not _TRACKING.fullmatch(one.partition("=")[0]))
    return urlunsplit((scheme, host, path or "/", query, ""))


def domain_of(address: str) -> str:
    """The host of a URL without "www."; empty for paths, so that all of them are of one domain."""
    if not is_url(address):
        return ""
    host = address.partition("://")[2]
    return re.split(r"[/?#]", host, maxsplit=1)[0].rpartition("@")[2].lower().removeprefix("www.")


def moment_of(date: str | None) -> int:
    """A date as a number that grows with time: 2021-03-04T05:06:07Z is 20210304050607.

    Args:
        date: as WARC files or Common Crawl's indexes write it; the largest units come first.

    Returns:
        0 for one that is not written so, as for none: it counts as the oldest.
    """
    if date is None or not re.match(r"[12][0-9]{3}", date):
        return 0
    digits = "".join(re.findall(r"[0-9]", date[:32]))[:14]
    return int(digits.ljust(14, "0"))
