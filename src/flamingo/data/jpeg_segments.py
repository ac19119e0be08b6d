"""The parts of a JPEG, found without decoding any."""

from __future__ import annotations

import re

from flamingo.data.bounds import OverBounds

_MOST_SEGMENTS = 2**14
"""Of up to 64 KB each."""
_MOST_JUNK = 2**16
"""Bytes before a marker, which Pillow skips one by one."""
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""In coded pixels the byte FF is followed by 00, or by the mark of a restart."""
_ALONE = (0x01, 0xD8)
_SCAN, _END = 0xDA, 0xD9


def num_scans(content: bytes) -> int:
    """How many times a decoder goes over the picture.

    Raises:
        OverBounds: there are very many segments, or there is much between them.
    """
    position, number = 0, 0
    for _ in range(_MOST_SEGMENTS):
        found = _MARKER.search(content, position)
        start = len(content) if found is None else found.start()
        if not number and start - position > _MOST_JUNK:
            raise OverBounds(f"the JPEG has junk of {start - position:,} bytes.\nSave it anew.")
        kind = _END if found is None else content[start + 1]
        if found is None or kind == _END:
            return number
        position = found.end()
        number += kind == _SCAN
        if kind not in _ALONE:
            # What a segment holds is skipped: pictures in it are not decoded.
            position += int.from_bytes(content[position : position + 2], "big")
    raise OverBounds(f"the JPEG has more than {_MOST_SEGMENTS:,} segments.\nSave it anew.")
