"""Picture files as strangers make them: good ones, bombs, and files that lie about themselves."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
from PIL import Image

GOOD_SIZE = (240, 180)
_CUT_OFF = 0.6


def good(number: int, kind: str = "JPEG") -> bytes:
    """A picture that every filter lets pass, another one for each number."""
    generator = np.random.default_rng(number)
    shapes = Image.fromarray(generator.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return _saved(shapes.resize(GOOD_SIZE, Image.Resampling.BICUBIC), kind)


@cache
def all_kinds(*, is_small: bool = False) -> Mapping[str, bytes]:
    """Hostile files by their names.

    Args:
        is_small: makes those of that name that take no time.
    """
    return dict(_small() if is_small else _large())


def _large() -> Iterator[tuple[str, bytes]]:
    return _all_kinds(side=4_900, length=19_000_000, unpacked=100_000_000)


def _small() -> Iterator[tuple[str, bytes]]:
    return _all_kinds(side=300, length=20_000, unpacked=100_000)


def _all_kinds(side: int, length: int, unpacked: int) -> Iterator[tuple[str, bytes]]:
    yield "empty.png", b""
    yield "text.png", b"This is no picture.\n" * 50
    yield "page.jpg", b"<html><body><img src=text.png></body></html>"
    yield "zeros.gif", bytes(100_000)
    yield from _pngs(length, unpacked)
    yield from _jpegs(side, length)
    yield from _gifs()
    yield from _others(side, length)


def damaged(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Good pictures of every format with bytes changed, moved and missing."""
    kinds = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM")
    whole = {kind: good(7, kind) for kind in kinds}
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        kind = rng.choice(kinds)
        content = bytearray(whole[kind])
        for _ in range(rng.randrange(1, 30)):
            # Most of what a decoder can be led astray by is in the first bytes.
            end = len(content) if rng.random() < 0.5 else min(64, len(content))
            content[rng.randrange(end)] = rng.randrange(256)
        if rng.random() < 0.3:
            del content[rng.randrange(len(content)) :]
        yield f"damaged-{number:03d}", bytes(content)


def bomb_within_limits(number: int) -> bytes:
    """A small PNG file of just under 25 million pixels: the most that is decoded."""
    side = 4_990 - number
    return _png(side, side, b"\0" + bytes([number]) * (3 * side), 2)


@cache
def png_bomb() -> bytes:
    """50,000 x 50,000 pixels, of one bit each, in a file of 300 kilobytes."""
    side = 50_000
    return _png(side, side, b"\0" * (side // 8 + 1), 0, bits=1)


def _pngs(length: int, unpacked: int) -> Iterator[tuple[str, bytes]]:
    whole = good(1, "PNG")
    yield "cut.png", whole[: int(_CUT_OFF * len(whole))]
    yield "bomb.png", png_bomb()
    yield "no-pixels.png", _PNG + _chunk(b"IHDR", _header(0, 0, 2)) + _chunk(b"IEND", b"")
    yield "huge-sides.png", _PNG + _chunk(b"IHDR", _header(2**31 - 1, 2**31 - 1, 2))
    blown_up = zlib.compress(bytes(unpacked), 9)
    for name in (b"zTXt", b"iCCP"):
        chunk = _chunk(name, b"key\0\0" + blown_up)
        yield f"{name.decode()}.png", whole[:33] + chunk + whole[33:]
    yield "many-chunks.png", whole[:33] + _chunk(b"tEXt", b"a\0b") * (length // 15) + whole[33:]
    yield "bad-sums.png", whole[:33] + whole[33:].replace(b"IDAT", b"IDAU")
    frames = _chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
    yield "endless-frames.png", whole[:33] + frames + whole[33:]
    yield "within-limits.png", bomb_within_limits(0)


def _jpegs(side: int, length: int) -> Iterator[tuple[str, bytes]]:
    whole = good(2)
    yield "cut.jpg", whole[: int(_CUT_OFF * len(whole))]
    sized = bytearray(whole)
    frame = sized.index(b"\xff\xc0")
    sized[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    yield "huge-sides.jpg", bytes(sized)
    large = Image.new("RGB", (side, side))
    progressive = _saved(large, "JPEG", progressive=True)
    last = progressive.rindex(b"\xff\xda")
    scan = progressive[last:-2]
    for count in (90, 5_000):
        yield f"scans-{count}.jpg", progressive[:last] + scan * count + b"\xff\xd9"
    exif = b"\xff\xe1" + struct.pack(">H", 60_000) + b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"
    yield "exif.jpg", whole[:2] + exif.ljust(60_002, b"\x01") + whole[2:]
    yield "colors-of-print.jpg", _saved(Image.new("CMYK", GOOD_SIZE), "JPEG")
    yield "many-parts.jpg", whole[:2] + b"\xff\xe5\0\2" * (length // 4) + whole[2:]
    yield "endless-markers.jpg", whole[:2] + b"\xff" * length + whole[2:]


def _gifs() -> Iterator[tuple[str, bytes]]:
    whole = bytearray(good(3, "GIF"))
    yield "cut.gif", bytes(whole[: int(_CUT_OFF * len(whole))])
    whole[6:10] = b"\xff\xff\xff\xff"
    yield "huge-screen.gif", bytes(whole)
    small = Image.new("P", (1, 1))
    frames = io.BytesIO()
    small.save(frames, "GIF", save_all=True, append_images=[small] * 3)
    dot = frames.getvalue()
    start = dot.index(b"\x2c")
    dots = dot[start:-1]
    yield "many-frames.gif", dot[:6] + b"\xa0\x0f\xa0\x0f" + dot[10:start] + dots * 5_000 + b";"
    moved = bytearray(dot)
    moved[start + 1 : start + 9] = b"\xff\xff\xff\xff\x10\x27\x10\x27"
    yield "huge-frame.gif", bytes(moved)


def _others(side: int, length: int) -> Iterator[tuple[str, bytes]]:
    yield "huge.bmp", b"BM" + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 2**31 - 1,
                                          -(2**31), 1, 24, 1, 0, 0, 0, 0, 0)  # fmt: skip
    yield "huge.ppm", b"P6 99999999 99999999 255\n" + bytes(1_000)
    yield "comments.ppm", b"P3\n" + b"#" * length
    yield "long-number.ppm", b"P3\n" + b"9" * length
    whole = good(4, "TIFF")
    yield "cut.tif", whole[: int(_CUT_OFF * len(whole))]
    # A directory that names itself as the next one.
    tag = struct.pack("<HHII", 256, 4, 1, 10)
    yield "circle.tif", b"II*\0\x08\0\0\0\x01\0" + tag + struct.pack("<I", 8)
    yield "many-tags.tif", b"II*\0\x08\0\0\0\xff\xff" + tag * 65_535 + bytes(4)
    deflated = _saved(Image.new("RGB", (side, side)), "TIFF", compression="tiff_deflate")
    yield "deflated.tif", deflated
    webp = good(5, "WEBP")
    yield "cut.webp", webp[: int(_CUT_OFF * len(webp))]
    yield "flat.webp", _saved(Image.new("RGB", (side, side)), "WEBP", method=0)
    dots = [Image.new("RGB", (side // 5, side // 5), (n, n, n)) for n in range(8)]
    yield "frames.webp", _saved(dots[0], "WEBP", save_all=True, append_images=dots[1:], method=0)
    yield "frames.png", _saved(dots[0], "PNG", save_all=True, append_images=dots[1:])
    yield "shadow.jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(500)
    yield "drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    yield "drawing.svgz", svg_bomb()


@cache
def svg_bomb() -> bytes:
    """A drawing that unpacks to 50 MB."""
    return gzip.compress(b"<svg>" + b" " * 50_000_000 + b"</svg>", 9, mtime=0)


def _saved(picture: Image.Image, kind: str, **how: object) -> bytes:
    file = io.BytesIO()
    if kind == "GIF":
        picture = picture.convert("P")
    picture.save(file, kind, **how)
    return file.getvalue()


_PNG = b"\x89PNG\r\n\x1a\n"


def _png(width: int, height: int, row: bytes, color: int, bits: int = 8) -> bytes:
    """Equal rows. A hundred of them are compressed once, to a block that is written many times."""
    packer = zlib.compressobj(9)
    several = row * 100
    repeats, rest = divmod(height, 100)
    begin = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(several) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.compress(row * rest) + packer.flush()
    total = 1
    for _ in range(repeats):
        total = zlib.adler32(several, total)
    packed = begin + block * repeats + end[:-4]
    packed += struct.pack(">I", zlib.adler32(row * rest, total))
    header = _chunk(b"IHDR", _header(width, height, color, bits))
    return _PNG + header + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _header(width: int, height: int, color: int, bits: int = 8) -> bytes:
    return struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)


def _chunk(name: bytes, content: bytes) -> bytes:
    sum_of_both = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + sum_of_both
