"""What an image's address on a page means: a URL, or a path below the page's folder."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote, urljoin, urlsplit

MAX_ADDRESS = 4_096
"""Longer addresses are no addresses."""
MAX_DATA_ADDRESS = 2_000_000
"""So long may a data: URL be, in characters; about 1.5 MB of a file."""
MIN_DATA_ADDRESS = 400
"""A shorter data: URL stands in for an image that a script is to load."""
_URL = re.compile(r"https?://", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_MOST_UP = 8
_PLAIN_PATH = re.compile(rf"((?:\.\./){{0,{_MOST_UP}}})((?:\w[\w-]*/){{0,16}}\w[\w.-]{{0,200}})")
"""A path in which nothing has to be looked at but how far up it begins."""
_DATA_IMAGE = re.compile(r"data:image/(?!svg)[\w.+-]+[;,]", re.IGNORECASE)
_ANY = "any name"
_UNSEEN = re.compile(r"[\t\n\r]|^[\0- ]+|[\0- ]+$")


class Addresses:
    """Resolves the addresses on one page.

    Args:
        page: the page's URL, or its path below the folder that it was found in.
        base: what relative addresses start from, as the page's `<base>` has it.
    """

    def __init__(self, page: str, base: str | None = None) -> None:
        self._base = page
        self._is_on_web = bool(_URL.match(page))
        if base and len(base) <= MAX_ADDRESS:
            # A folder by a name in it: the root of all pages has no name of its own.
            self._base = self._joined(f"{base}{_ANY}" if base.endswith("/") else base) or page
        self._is_on_web = bool(_URL.match(self._base))
        self._folders = [self._base[: self._base.rfind("/") + 1]]
        while self._folders[-1] and len(self._folders) <= _MOST_UP:
            self._folders.append(posixpath.dirname(self._folders[-1][:-1]) + "/")
            if self._folders[-1] == "/":
                self._folders[-1] = ""

    def __call__(self, reference: str) -> str | None:
        """The image's URL, its path below the folder, or its data: URL.

        None for what is no image on the web or in the folder: other schemes, paths that lead out
        of the folder, data: URLs that are too long, or too short to be more than a stand-in.
        """
        if not self._is_on_web and (plain := _PLAIN_PATH.fullmatch(reference)):
            up, down = plain.groups()
            depth = len(up) // 3
            return self._folders[depth] + down if depth < len(self._folders) else None
        if reference[:5].lower() == "data:":
            is_kept = MIN_DATA_ADDRESS <= len(reference) <= MAX_DATA_ADDRESS
            return reference if is_kept and _DATA_IMAGE.match(reference) else None
        reference = _UNSEEN.sub("", reference)
        if not reference or len(reference) > MAX_ADDRESS or reference.startswith("#"):
            return None
        joined = self._joined(reference)
        return None if joined is None or joined == self._base else joined

    def _joined(self, reference: str) -> str | None:
        reference = reference.replace("\\", "/")
        if self._is_on_web or _URL.match(reference):
            return _joined_url(self._base, reference)
        if reference.startswith("//"):
            return _joined_url("https:", reference)
        return None if _SCHEME.match(reference) else _joined_path(self._base, reference)


def _joined_url(base: str, reference: str) -> str | None:
    try:
        parts = urlsplit(urljoin(base, reference))
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    url = parts._replace(fragment="").geturl().replace(" ", "%20")
    return url if is_web and len(url) <= MAX_ADDRESS else None


def _joined_path(base: str, reference: str) -> str | None:
    path = unquote(re.split("[?#]", reference, maxsplit=1)[0]).replace("\\", "/")
    if not path or not path.isprintable():
        return None
    is_from_root = path.startswith("/")
    folder = "" if is_from_root else posixpath.dirname(base)
    end = "/" if path.endswith("/") else ""
    joined = posixpath.normpath(posixpath.join(folder, path.lstrip("/")))
    leads_out = joined == ".." or joined.startswith(("../", "/"))
    return None if leads_out or joined == "." else joined + end
