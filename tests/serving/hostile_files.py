"""Files that are made to cost memory or time, or to reach for other files."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from tests.data.media_for_tests import gray, write_gif, write_video

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PLAYLISTS = (
    b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n",
    b"ffconcat version 1.0\nfile /etc/passwd\n",
    b"<?xml version='1.0'?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>",
    b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    b"<!doctype html><img src='http://169.254.169.254/'>",
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n",
    b"push graphic-context\nimage over 0,0 0,0 'https://example.org/'\n",
    b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 9 RTP/AVP 96\r\n",
)


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png(*chunks: bytes, size: tuple[int, int] = (4, 4)) -> bytes:
    """A gray PNG with more chunks before its pixels; only small ones have pixels at all."""
    width, height = size
    pixels = b"" if width * height > 10**6 else bytes((width + 1) * height)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(pixels))
    return SIGNATURE + header + b"".join(chunks) + data + chunk(b"IEND", b"")


def overlapping_notes(num_tags: int = 6000, size: int = 60_000) -> bytes:
    """Notes of a camera in TIFF's form, whose entries all name the same bytes."""
    entries = b"".join(struct.pack("<HHII", 300 + i, 1, size, 8) for i in range(num_tags))
    notes = b"II*\0" + struct.pack("<IH", 8, num_tags) + entries + bytes(4)
    return notes + bytes(max(0, size + 8 - len(notes)))


def tiff_with_tile(side: int) -> bytes:
    """A picture of 16x16 in one tile that is much larger."""
    content = zlib.compress(bytes(side * side // 16))
    about = {256: 16, 257: 16, 258: 8, 259: 8, 262: 1, 277: 1, 322: side, 323: side}
    about |= {324: 8 + 2 + 12 * 10 + 4, 325: len(content)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in about.items())
    return b"II*\0" + struct.pack("<IH", 8, 10) + entries + bytes(4) + content


def gif_of(frames: int, canvas: tuple[int, int], frame: tuple[int, int]) -> bytes:
    """A GIF that says so; its frames hold nearly nothing."""
    one = b"\x2c" + struct.pack("<HHHH", 0, 0, *frame) + b"\0" + bytes([2, 2, 0x44, 1, 0])
    head = b"GIF89a" + struct.pack("<HH", *canvas) + b"\x80\0\0" + bytes(6)
    return head + one * frames + b";"


def jpeg_of_scans(number: int, size: tuple[int, int] = (320, 240)) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    buffer = io.BytesIO()
    Image.new("L", size, 128).save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    last = content[content.rfind(b"\xff\xda") : -2]
    return content[:-2] + last * number + content[-2:]


def mp4_of_another_file(folder: Path, target: Path) -> bytes:
    """An MP4 without frames of its own: they are said to lie in another file, as QuickTime can."""
    source = write_video(folder / "source.mp4", [0, 50, 100], fps=1)
    target.write_bytes(source.read_bytes())
    path = str(target).encode() + b"\0"
    alias = bytes(10 + 1 + 27 + 12 + 1 + 63 + 16) + struct.pack(">HH", 1, 1) + bytes(16)
    alias += struct.pack(">HH", 2, len(path)) + path + bytes(len(path) % 2)
    alias += struct.pack(">HH", 0xFFFF, 0)
    return _edited(source.read_bytes(), box(b"alis", bytes(4) + alias))


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def _edited(content: bytes, reference: bytes) -> bytes:
    edited, position = b"", 0
    while position < len(content):
        size, kind = struct.unpack(">I4s", content[position : position + 8])
        inner = content[position + 8 : position + size]
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
            inner = _edited(inner, reference)
        elif kind == b"dref":
            inner = inner[:8] + reference
        elif kind == b"mdat":
            inner = bytes(len(inner))
        edited += box(kind, inner)
        position += size
    return edited


def sound_files(folder: Path) -> dict[str, bytes]:
    """One small file of each kind that is read."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    picture = Image.fromarray(pixels)
    files = {}
    for kind in ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF"):
        buffer = io.BytesIO()
        picture.save(buffer, kind)
        files[kind] = buffer.getvalue()
    frames = [Image.fromarray(gray(value, 16, 16)) for value in (0, 100, 200)]
    for kind in ("PNG", "WEBP"):
        buffer = io.BytesIO()
        frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=1000)
        files[f"animated {kind}"] = buffer.getvalue()
    files["GIF"] = write_gif(folder / "a.gif", [0, 100, 200], 1000).read_bytes()
    for name, codec in (("a.mp4", "mpeg4"), ("a.webm", "libvpx"), ("a.avi", "mpeg4")):
        path = write_video(folder / name, [0, 100, 200], fps=1, codec=codec)
        files[name[2:].upper()] = path.read_bytes()
    return files
