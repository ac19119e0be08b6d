"""Broken and hostile images and clips, in every place of a request where one may stand."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.fuzzing_serving.bodies import CHAT, FEW_SHOT, SETS, dumped
from benchmarks.fuzzing_serving.sending import Ask
from tests.serving import hostile_files

_TEXT = {"type": "text", "text": "Output:"}
_NAME = "localhost"
_PLACES = ("query", "support", "set", "image", "video", "upload")


def hostile_addresses(canary: int) -> tuple[str, ...]:
    """Of places that a server must not ask; `canary` is a port on which somebody listens."""
    here = f"127.0.0.1:{canary}"
    return (
        "file:///etc/passwd",
        "/etc/passwd",
        "etc/passwd",
        "../../../../etc/passwd",
        "~/.ssh/id_rsa",
        f"http://{here}/",
        f"https://{here}/a.png",
        f"HTTP://{here}/a.mp4",
        f"http://[::1]:{canary}/",
        f"http://{_NAME}:{canary}/",
        f"http://0.0.0.0:{canary}/",
        f"http://2130706433:{canary}/",
        f"http://0x7f.1:{canary}/",
        f"http://127.1:{canary}/",
        f"http://a@{here}/",
        f"//{here}/a.png",
        f"http://{here}\t/",
        f" http://{here}/",
        f"http:/\\{here}/",
        f"ftp://{here}/",
        f"rtsp://{here}/",
        f"tcp://{here}",
        f"udp://{here}",
        f"concat:http://{here}/",
        f"pipe:http://{here}/",
        f"hls+http://{here}/",
        f"subfile,,start,0,end,9,,:http://{here}/",
        f"crypto:http://{here}/",
        f"cache:http://{here}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fd00::1]/",
        "http://172.16.0.1/",
        "http://metadata.google.internal/",
        "https://example.org/a.png",
        "gopher://a/",
        "http://",
        "https://",
        "http:///a",
        "http://[",
        "http://a:99999/",
        "data:",
        "data:,",
        "data:image/png,a",
        "data:image/png;base64,!!!!",
        "data:image/png;base64,A",
        "data:;base64,AAAA",
        "DATA:image/png;BASE64,AAAA",
        "data:text/html;base64,PGltZyBzcmM9Ii9ldGMvcGFzc3dkIj4=",
        f"data:{'a' * 5000};base64,AAAA",
        "data:image/svg+xml;base64,PHN2Zy8+",
        "blob:null/1",
        "javascript:alert(1)",
        "\0",
        "pipe:0",
        "fd:0",
        "/dev/zero",
        "/proc/self/environ",
        "lavfi:color=red",
        "concat:/etc/passwd|/etc/passwd",
    )


def hostile_media(folder: Path) -> dict[str, bytes]:
    """Files that are made to cost time or memory, or that are none."""
    files = {f"playlist {number}": one for number, one in enumerate(hostile_files.PLAYLISTS)}
    size = hostile_files.png
    return {
        **files,
        "png of 60000x60000": size(size=(60_000, 60_000)),
        "png of 2e9 pixels": size(size=(2**31 - 1, 1)),
        "png of notes": size(
            hostile_files.chunk(b"eXIf", hostile_files.overlapping_notes(2000, 9000))
        ),
        "png of text": size(hostile_files.chunk(b"zTXt", b"a\0\0" + b"x" * 50_000)),
        "tiff with a large tile": hostile_files.tiff_with_tile(4096),
        "gif of 20000 frames": hostile_files.gif_of(20_000, (16, 16), (1, 1)),
        "gif of large frames": hostile_files.gif_of(400, (1400, 1400), (1400, 1400)),
        "gif of 65535x65535": hostile_files.gif_of(1, (65_535, 65_535), (1, 1)),
        "jpeg of scans": hostile_files.jpeg_of_scans(2000),
        "mp4 of another file": hostile_files.mp4_of_another_file(folder, folder / "target.mp4"),
        "empty": b"",
        "one byte": b"\0",
        "zeros": bytes(100_000),
        "text": b"hello" * 100,
        "zip": b"PK\3\4" + bytes(100),
        "pickle": b"\x80\4cos\nsystem\n(S'id'\ntR.",
        "large": bytes(600_000),
    }


def broken_media(count: int, draw: random.Random, folder: Path, canary: int) -> Iterator[Ask]:
    """Requests with one visual that is hostile, broken, or elsewhere.

    Args:
        count: of requests.
        draw: of what and where.
        folder: in which files are written while they are made.
        canary: a port on which somebody listens.
    """
    sound = hostile_files.sound_files(folder)
    hostile, addresses = hostile_media(folder), hostile_addresses(canary)
    for number in range(count):
        place = _PLACES[number % len(_PLACES)]
        how = draw.choices(("broken", "hostile", "elsewhere"), (60, 20, 20))[0]
        if how == "elsewhere" and place != "upload":
            address = draw.choice(addresses)
            yield _request(f"media: elsewhere, {place}", place, address, draw)
            continue
        name = draw.choice(sorted(hostile if how == "hostile" else sound))
        content = hostile[name] if how == "hostile" else _broken(sound[name], draw)
        kind = f"media: {how} {name}, {place}"
        if place == "upload":
            yield _upload(kind, content, draw)
        else:
            yield _request(kind, place, _data_url(content, draw), draw)


def _broken(content: bytes, draw: random.Random) -> bytes:
    how, place = draw.randrange(6), draw.randrange(len(content))
    if how == 0:
        return content[:place]
    if how == 1:
        return content[:place] + content[place + draw.randrange(1, 50) :]
    if how == 2:
        return content[:place] + draw.randbytes(draw.randrange(1, 200)) + content[place:]
    if how == 3:
        return content + draw.randbytes(1000)
    changed = bytearray(content)
    for _ in range(1 if how == 4 else 20):
        # Heads are small and decide most.
        at = draw.randrange(min(len(changed), 200) if draw.random() < 0.5 else len(changed))
        changed[at] = draw.choice((0, 255, 0x7F, 0x80, changed[at] ^ (1 << draw.randrange(8))))
    return bytes(changed)


def _data_url(content: bytes, draw: random.Random) -> str:
    kind = draw.choice(("image/png", "image/jpeg", "video/mp4", "text/html", "a/b", "image/*"))
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _request(kind: str, place: str, url: str, draw: random.Random) -> Ask:
    sampled = {"url": url, "num_frames": draw.choice((1, 8))}
    visual: Any = sampled if draw.random() < 0.3 and place != "set" else url
    support = {"visual": visual, "output": "a"}
    if place == "query":
        return _post(kind, FEW_SHOT, {"query": {"visual": visual}, "max_tokens": 2, "num_beams": 1})
    if place == "support":
        body = {"supports": [support], "query": {"visual": url}, "choices": ["a", "b"]}
        return _post(kind, FEW_SHOT, body)
    if place == "set":
        return _post(kind, SETS, {"name": "media", "supports": [support], "replace": True})
    part = {"type": f"{place}_url", f"{place}_url": {"url": url} if place == "image" else sampled}
    messages = [{"role": "user", "content": [part, _TEXT]}]
    return _post(kind, CHAT, {"model": "miniature", "messages": messages, "max_tokens": 2})


def _post(kind: str, path: str, body: Any) -> Ask:
    return Ask(kind, "POST", path, dumped(body))


def _upload(kind: str, content: bytes, draw: random.Random) -> Ask:
    """A form; sometimes the form itself is broken."""
    name = draw.choice(
        ("a.png", "../../etc/passwd", "", "a\\b", "\xff", "a" * 2000, "\\ud800", "con")
    )
    field = draw.choices(
        ("file", "files", "", "\\ud800", "a" * 2000, "+2AA-"), (20, 1, 1, 1, 1, 1)
    )[0]
    charset = draw.choices(
        (
            "",
            "; charset=utf-7",
            "; charset=unicode_escape",
            "; charset=punycode",
            "; charset=\x01",
            "; charset=rot13",
        ),
        (20, 1, 1, 1, 1, 1),
    )[0]
    head = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    body = head.encode("latin-1") + content + b"\r\n--b--\r\n"
    if draw.random() < 0.3:
        place = draw.randrange(len(head))
        body = body[:place] + draw.randbytes(draw.randrange(1, 4)) + body[place + 1 :]
    kind_of_form = draw.choices(
        (
            "multipart/form-data; boundary=b",
            "multipart/form-data",
            "multipart/form-data; boundary=" + "b" * 300,
        ),
        (20, 1, 1),
    )[0]
    return Ask(kind, "POST", "/v1/files", body, {"Content-Type": kind_of_form + charset})
