"""Files that are written into a request, as `data:` URLs."""

from __future__ import annotations

import base64
import binascii
import re

from flamingo.foundation.errors import MediaError
from flamingo.serving.errors import TooLarge

_MOST_HEAD = 200
"""Characters before the comma: a kind of file and few notes."""
_KIND = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


def is_data_url(text: str) -> bool:
    """Whether a text claims to be one."""
    return text[:5].lower() == "data:"


def content_of(url: str, most_bytes: int) -> bytes:
    """The file in a `data:` URL, whatever kind of file the URL says it is.

    Raises:
        MediaError: it is not in base64, or is damaged.
        TooLarge: there are more bytes; they were not decoded.
    """
    comma = url.find(",", 0, _MOST_HEAD)
    if comma < 0 or not url[:comma].lower().rstrip().endswith(";base64"):
        raise MediaError("only data: URLs in base64 are read.\nWrite data:image/png;base64,…")
    num_bytes = (len(url) - comma - 1) // 4 * 3
    # The padding may say that there are two bytes less.
    if num_bytes > most_bytes + 2:
        raise TooLarge(
            f"the file has some {num_bytes:,} bytes, more than the limit of {most_bytes:,}.\n"
            "Send a smaller picture or a shorter clip."
        )
    try:
        content = base64.b64decode(url[comma + 1 :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise MediaError(f"the base64 text is damaged: {error}.\nEncode the file anew.") from error
    if not content:
        raise MediaError("the data: URL has no file in it.\nWrite data:image/png;base64,…")
    return content


def media_type_of(url: str) -> str:
    """The kind of file that a `data:` URL says it is; what it does not say is "image/png"."""
    kind = url[5:_MOST_HEAD].partition(",")[0].partition(";")[0].strip().lower()
    return kind if _KIND.fullmatch(kind) else "image/png"


def data_url(content: bytes, media_type: str) -> str:
    """A file as a `data:` URL."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
