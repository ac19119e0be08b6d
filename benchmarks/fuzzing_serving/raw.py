"""What is no HTTP, or hardly: broken heads, chunks, lengths; slow and vanishing clients."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from benchmarks.fuzzing_serving.sending import Raw

_BODY = b'{"query": {"visual": "data:,"}}'
_GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
_HEAD = b"POST /v1/few_shot HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_POST = _HEAD + b"Content-Length: %d\r\n\r\n" % len(_BODY) + _BODY
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "A" * 300)


def _get(target: bytes, more: bytes = b"") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n" + more + b"\r\n"


_HEADS: dict[str, bytes] = {
    "nothing": b"",
    "line feeds": b"\n\n\n\n",
    "zeros": bytes(100),
    "no version": b"GET /\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    "HTTP/1.0": b"GET /health HTTP/1.0\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "two hosts": _get(b"/health", b"Host: b\r\n"),
    "no colon": _get(b"/health", b"abc\r\n"),
    "zero in a header": _get(b"/health", b"A: b\0c\r\n"),
    "space in a name": _get(b"/", b"A b: c\r\n"),
    "folded": _get(b"/health", b"A: b\r\n c\r\n"),
    "line feeds only": _get(b"/health").replace(b"\r", b""),
    "not ASCII": _get(b"/health", b"A: \xff\xfe\r\n"),
    "empty name": _get(b"/health", b": a\r\n"),
    "long header": _get(b"/health", b"A: " + b"a" * 200_000 + b"\r\n"),
    "many headers": _get(b"/health", b"A: b\r\n" * 5000),
    "long address": _get(b"/" + b"a" * 100_000),
    "address not ASCII": _get(b"/\xff\xfe"),
    "zero in an address": _get(b"/a\0b"),
    "space in an address": _get(b"/a b"),
    "address of another": _get(b"http://169.254.169.254/"),
    "address of two slashes": _get(b"//169.254.169.254/"),
    "star": _get(b"*"),
    "dots": _get(b"/../../etc/passwd"),
    "dots below static": _get(b"/static/../../../../../../etc/passwd"),
    "dots as numbers": _get(b"/static/%2e%2e/%2e%2e/%2e%2e/engine.py"),
    "slash as a number": _get(b"/static/%2fetc%2fpasswd"),
    "zero as a number": _get(b"/static/%00"),
    "backslashes": _get(b"/static/..\\..\\engine.py"),
    "long name": _get(b"/static/" + b"a" * 5000),
    "deep": _get(b"/static/" + b"a/" * 5000),
    "long query": _get(b"/health?" + b"a=b&" * 9000),
    "ranges": _get(b"/static/main.js", b"Range: bytes=" + b"0-1," * 2000 + b"5-6\r\n"),
    "broken range": _get(b"/", b"Range: bytes=x\r\n"),
    "range of the end": _get(b"/", b"Range: bytes=-5\r\n"),
    "broken date": _get(b"/static/main.js", b"If-Modified-Since: 99 Foo 9999999999999 99:99\r\n"),
    "large date": _get(
        b"/static/main.js", b"If-Modified-Since: Mon, 01 Jan 99999 00:00:00 GMT\r\n"
    ),
    "upgrade": _get(b"/health", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    "upgrade to HTTP/2": _get(b"/health", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"),
    "body of a GET": _get(b"/v1/models", b"Content-Length: 5\r\n") + b"hello",
    "body of a GET that does not come": _get(b"/v1/models", b"Content-Length: 500\r\n"),
}
_LENGTHS: dict[str, bytes] = {
    name: _HEAD + value + b"\r\n" + _BODY
    for name, value in {
        "negative": b"Content-Length: -1\r\n",
        "word": b"Content-Length: abc\r\n",
        "none": b"",
        "plus": b"Content-Length: +5\r\n",
        "hex": b"Content-Length: 0x5\r\n",
        "empty": b"Content-Length:\r\n",
        "two": b"Content-Length: 5\r\nContent-Length: 6\r\n",
        "list": b"Content-Length: 31, 31\r\n",
        "small": b"Content-Length: 5\r\n",
        "large": b"Content-Length: 500\r\n",
        "no digits": b"Content-Length: \xb2\r\n",
        "huge": b"Content-Length: 99999999999\r\n",
        "thousands": b"Content-Length: " + b"9" * 5000 + b"\r\n",
        "both": b"Content-Length: 31\r\nTransfer-Encoding: chunked\r\n",
        "gzip": b"Transfer-Encoding: gzip\r\n",
        "gzip, chunked": b"Transfer-Encoding: gzip, chunked\r\n",
        "twice": b"Transfer-Encoding: chunked, chunked\r\n",
        "expects": b"Expect: 100-continue\r\nContent-Length: 31\r\n",
        "expects other": b"Expect: a\r\nContent-Length: 31\r\n",
    }.items()
}
_CHUNKS: dict[str, bytes] = {
    name: _CHUNKED + value
    for name, value in {
        "word": b"zz\r\nab\r\n0\r\n\r\n",
        "negative": b"-1\r\na\r\n0\r\n\r\n",
        "huge": b"fffffffffffffffff\r\na",
        "no end": b"5\r\nhello",
        "no line": b"5\r\nhello0\r\n\r\n",
        "long": b"5\r\nhelloworld\r\n0\r\n\r\n",
        "notes": b"5;" + b"a" * 100_000 + b"\r\nhello\r\n0\r\n\r\n",
        "trailers": b"0\r\n" + b"A: b\r\n" * 9000 + b"\r\n",
        "empty": b"0\r\n\r\n",
        "good": b"1f\r\n" + _BODY + b"\r\n0\r\n\r\n",
        "small": b"1\r\na\r\n" * 3000 + b"0\r\n\r\n",
        "above the limit": b"".join(b"10000\r\n" + bytes(65_536) + b"\r\n" for _ in range(40))
        + b"0\r\n\r\n",
        "far above the limit": b"".join(b"10000\r\n" + bytes(65_536) + b"\r\n" for _ in range(200)),
    }.items()
}


def slow_clients() -> list[Raw]:
    """Each takes a minute or so: they are sent beside all others."""
    drip = tuple(bytes([one]) for one in _HEAD) * 3
    body = (_HEAD + b"Content-Length: 400\r\n\r\n", *([b" "] * 300))
    return [
        Raw("slow: nothing is sent", ()),
        Raw("slow: a head in single bytes", drip, 0.4),
        Raw("slow: a second head in single bytes", (_GET, *drip), 0.4),
        Raw("slow: a head that does not end", (_HEAD,)),
        Raw("slow: a header each second", (b"GET / HTTP/1.1\r\n", *([b"A: b\r\n"] * 120)), 1.0),
        Raw("slow: a body in single bytes", body, 0.4, most_seconds=130),
        Raw("slow: a body that does not come", body[:1], most_seconds=80),
        Raw(
            "slow: chunks that do not end",
            (_CHUNKED, *([b"1\r\n \r\n"] * 200)),
            0.5,
            most_seconds=130,
        ),
        Raw(
            "slow: a body that comes after all", (_POST[:-9], *(bytes([b]) for b in _POST[-9:])), 1
        ),
        Raw(
            "slow: the body of a GET, for ever",
            (_get(b"/v1/models", b"Transfer-Encoding: chunked\r\n"), *([b"1\r\na\r\n"] * 200)),
            0.5,
        ),
    ]


def pipelined() -> list[Raw]:
    """Several requests in one go."""
    large = _get(b"/openapi.json")
    return [
        Raw("pipelined: twenty", (_GET * 20,)),
        Raw("pipelined: a POST and more", (_POST + _GET + _POST,)),
        Raw("pipelined: then nonsense", (_GET + b"\0\1\2nonsense\r\n\r\n",)),
        Raw("pipelined: a POST, then nonsense", (_POST + b"nonsense\r\n\r\n",)),
        Raw("pipelined: large answers that nobody reads", (large * 300,), reads=False),
        Raw("pipelined: large answers, then reset", (large * 300,), ends="reset"),
        Raw("pipelined: a smuggled request", (_LENGTHS["both"] + _GET,)),
    ]


def raw_requests(count: int, draw: random.Random, paths: Sequence[str]) -> Iterator[Raw]:
    """Everything above but the slow ones, then working requests with some bytes broken.

    Args:
        count: of requests; the first ones are always the same.
        draw: of what is broken.
        paths: of the server.
    """
    fixed = [
        *(
            Raw(f"heads: {name}", (one,), ends=end)
            for name, one in _HEADS.items()
            for end in _ends(one)
        ),
        *(
            Raw(f"lengths: {name}", (one,), ends=end)
            for name, one in _LENGTHS.items()
            for end in ("wait", "half")
        ),
        *(
            Raw(f"chunks: {name}", (one,), ends=end)
            for name, one in _CHUNKS.items()
            for end in ("wait", "reset")
        ),
        *(
            Raw(
                f"methods: {method}",
                (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),),
            )
            for method in _METHODS
            for path in paths
        ),
        *pipelined(),
    ]
    yield from fixed[:count]
    for _ in range(count - len(fixed)):
        whole = draw.choice((_GET, _POST, _CHUNKS["good"], _get(b"/static/main.js")))
        end = draw.choices(("wait", "half", "reset"), (2, 3, 1))[0]
        place = draw.randrange(1, len(whole))
        pieces = draw.choice(((whole,), (whole[:place], whole[place:])))
        yield Raw("broken bytes", tuple(_broken(one, draw) for one in pieces), 0.01, ends=end)


def _ends(one: bytes) -> tuple[str, ...]:
    return ("half",) if len(one) < 5 else ("wait",)


def _broken(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.randrange(1, 4)):
        place = draw.randrange(len(changed))
        how = draw.randrange(3)
        if how == 0:
            changed[place] = draw.randrange(256)
        elif how == 1:
            changed[place:place] = draw.randbytes(draw.randrange(1, 6))
        elif len(changed) > 1:
            del changed[place]
    return bytes(changed)
