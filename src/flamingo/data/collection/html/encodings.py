"""From bytes in any encoding to UTF-8; never fails."""

from __future__ import annotations

import re
from collections.abc import Iterator

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
META_BYTES = 2048
"""So far into a page its own word on its encoding is looked for; HTML asks for 1,024."""
FEW_BROKEN = 0.1
"""Text with fewer broken characters than this, of those outside ASCII, is UTF-8 all the same."""
_META = re.compile(
    rb"<(?:meta\b[^>]*?charset|\?xml\b[^>]*?encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE
)
_CUT_CHARACTER = 4


def as_utf8(content: bytes, told: str | None = None) -> bytes:
    """The same text in UTF-8.

    What is UTF-8 by its bytes is taken as that, whatever a header says: other encodings hardly
    ever look like it. Then a header's word counts, then the page's own, then a guess.

    Args:
        content: a page.
        told: the encoding that a header names; names that do not exist are passed over.
    """
    for mark, name in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _encoded(content[len(mark) :].decode(name, "replace"))
    if (wide := _wide_encoding(content)) is not None:
        return _encoded(content.decode(wide, "replace"))
    if b"\x1b" not in content and _is_utf8(content):
        return content
    labels = list(_labels(content, told))
    for label in labels:
        text = _decoded(content, label)
        if text is not None:
            return _encoded(text)
    mostly = content.decode("utf-8", "replace")
    outside = sum(1 for character in mostly if character > "\x7f") if not mostly.isascii() else 0
    if mostly.count("\ufffd") <= FEW_BROKEN * outside:
        return _encoded(mostly)
    guess = detect_encoding(content) or "utf-8"
    text = _decoded(content, guess)
    if text is None:
        text = content.decode(labels[0] if labels else guess, "replace")
    return _encoded(text)


def _labels(content: bytes, told: str | None) -> Iterator[str]:
    """Encodings that header and page name, as Python calls them."""
    found = _META.search(content, 0, META_BYTES)
    named = [told, found.group(1).decode("ascii", "ignore") if found else None]
    for label in named:
        # Wide encodings are known by their bytes: a page that can say "utf-16" is not in it.
        if label and not label.lower().startswith(("utf-16", "utf-32", "ucs-")):
            known = map_encoding_to_html5(label, fallback_utf8=False)
            if known:
                yield known


def _decoded(content: bytes, label: str) -> str | None:
    try:
        return content.decode(label)
    except UnicodeDecodeError as error:
        is_cut = error.start >= len(content) - _CUT_CHARACTER
        return content.decode(label, "replace") if is_cut else None


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _wide_encoding(content: bytes) -> str | None:
    """UTF-16 without a mark shows in its zeros: markup is ASCII, half of it zeros then."""
    start = content[:256]
    if start.count(0) * 4 < len(start) or not start:
        return None
    return "utf-16-be" if start[::2].count(0) > start[1::2].count(0) else "utf-16-le"


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")
