"""The frames of a GIF, found without unpacking any."""

from __future__ import annotations

from collections.abc import Iterator

from flamingo.data.bounds import OverBounds

_MOST_BLOCKS = 2**19
"""Each holds up to 255 bytes, and Pillow takes as long for one that holds a single byte."""
_COMMENT, _APPLICATION = 254, 255


def gif_frames(content: bytes) -> Iterator[tuple[int, int]]:
    """Right and bottom edge of each frame, found as Pillow finds it, damaged files included.

    Raises:
        OverBounds: there are very many blocks.
    """
    position = 13 + _palette_size(content[10:11])
    left, is_first = _MOST_BLOCKS, True
    while (kind := content[position : position + 1]) not in (b"", b";"):
        position += 1
        left -= 1
        if kind == b"!":
            ends, position = _rows_of_extension(content, position, is_first)
        elif kind == b",":
            head = content[position : position + 9]
            if len(head) < 9:
                return
            yield _number(head, 0) + _number(head, 4), _number(head, 2) + _number(head, 6)
            # Behind the palette stands how many bits a code has.
            position += 9 + _palette_size(head[8:]) + 1
            ends, is_first = 1, False
        else:
            ends = 0
        for _ in range(ends):
            position, left = _behind_row(content, position, left)
        if left < 0:
            raise OverBounds(f"the GIF has more than {_MOST_BLOCKS:,} blocks.\nSave it anew.")


def _rows_of_extension(content: bytes, position: int, is_before_first: bool) -> tuple[int, int]:
    """How many rows of blocks follow, and from where on: Pillow misses the end of empty ones."""
    label, size = content[position : position + 1], content[position + 1 : position + 2]
    first = content[position + 2 : position + 2 + (size[0] if size else 0)]
    position += 2 + len(first)
    if label == bytes([_COMMENT]):
        return (1 if first else 0), position
    if label == bytes([_APPLICATION]) and is_before_first and first.startswith(b"NETSCAPE2.0"):
        size = content[position : position + 1]
        position += 1 + (size[0] if size else 0)
    return 1, position


def _behind_row(content: bytes, position: int, left: int) -> tuple[int, int]:
    """Where a row of blocks ends, and how many more there may be."""
    end = len(content)
    while position < end and left >= 0:
        size = content[position]
        position += 1 + size
        left -= 1
        if not size:
            break
    return position, left


def _palette_size(flags: bytes) -> int:
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 128 else 0


def _number(head: bytes, place: int) -> int:
    return int.from_bytes(head[place : place + 2], "little")
