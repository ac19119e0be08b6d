"""One way to write an address, so that a page and an archive mean the same image by it."""

from __future__ import annotations

import hashlib
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_KEPT = "%/:=&?~+!$,;'@()*[]|"
"""Characters that are left as they are; a percent sign too, as what is encoded stays so."""


def canonical(address: str) -> str:
    """An address with scheme and host in small letters, no fragment, and nothing but ASCII.

    The port that the scheme has anyway is dropped; what cannot be taken apart stays as it is.
    """
    # Old web archives put addresses in angle brackets.
    text = address.strip().removeprefix("<").removesuffix(">")
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or ""), parts.port
    except ValueError:
        return text
    if not host:
        return quote(text.partition("#")[0], safe=_KEPT, errors="replace")
    host = ascii_host(host)
    if ":" in host:
        host = f"[{host}]"
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{port}"
    path = quote(parts.path or "/", safe=_KEPT, errors="replace")
    query = quote(parts.query, safe=_KEPT, errors="replace")
    return urlunsplit(SplitResult(parts.scheme, host, path, query, ""))


def ascii_host(host: str) -> str:
    """A host's name as name servers know it; as it is, where that cannot be said."""
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host.lower()


def address_hash(address: str) -> int:
    """64 bits for an address; two addresses of a billion share theirs with a chance of 3 %."""
    digest = hashlib.blake2b(
        canonical(address).encode("utf-8", "surrogatepass"), digest_size=8
    ).digest()
    return int.from_bytes(digest, "little")
