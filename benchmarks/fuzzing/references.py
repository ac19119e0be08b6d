"""Pages whose images are out of the folder, nowhere, or more than one can read."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable, Mapping
from functools import cache

from benchmarks.fuzzing import pictures
from benchmarks.fuzzing.markup import Mutation

CANARY = "canary.png"
"""Lies beside the folder of the pages; no page may reach it."""
NUM_GOOD, NUM_DAMAGED = 200, 300
"""Pictures called good-000.jpg, …, and damaged-000, …: see `folder`."""
LINKS = ("link.png", "link/canary.png", "loop.png", "zero.png", "pipe.png", "folder.png",
         "sparse.png", "passwords.png", "inside.jpg")  # fmt: skip
"""What lies among the pictures without being a file: see `folder`."""

_SOURCE = re.compile(rb"(<img\b[^>]*?\bsrc\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.I)
_SCHEMES = ("javascript:alert(1)", "vbscript:x", "java\nscript:alert(1)", "\x01javascript:x",
            "FILE:", "file:///etc/passwd", "file:///{outside}/canary.png", "file://localhost{outside}/canary.png",
            "view-source:x", "blob:http://a/b", "ftp://127.0.0.1/x.png", "//127.0.0.1:9/x.png",
            "http://127.0.0.1:9/x.png", "http://[", "http://[::1]:99999/x", "https:///x.png",
            "http://user:pass@/x", "http:canary.png", "https:../canary.png", "jar:file:///x!/y",
            "http://../../canary.png", "http://..%2f../canary.png", "https://./../canary.png",
            "about:blank", "mailto:a@b", "cid:x", "\\\\host\\share\\x.png", "c:\\x.png",
            "http://\ud800/")  # fmt: skip
_UPWARDS = ("../", "..\\", "%2e%2e/", "%2e%2e%2f", "..%2f", "..%5c", "....//", "%252e%252e%252f",
            "..%c0%af", "..%00/", "./../", "x/../../", ".%2e/", "..;/", "../\0", "\uff0e\uff0e/",
            "images/../../", "..\t/", "/../", "//../")  # fmt: skip


def hostile_files(rng: random.Random, page: bytes) -> bytes:
    damaged = [f"damaged-{rng.randrange(NUM_DAMAGED):03d}" for _ in range(30)]
    names = [*pictures.all_kinds(is_small=True), *damaged, *LINKS]
    return _sources(rng, page, lambda: rng.choice(names))


def traversals(rng: random.Random, page: bytes) -> bytes:
    def name() -> str:
        up = rng.choice(_UPWARDS) * rng.randrange(1, 12)
        end = rng.choice(("canary.png", "etc/passwd", "canary.png%00.jpg", "canary.png?x#y",
                          "{outside}/canary.png", "proc/self/environ", "dev/zero"))  # fmt: skip
        return rng.choice(("", "/", "good-001.jpg/", "link/")) + up + end

    return _sources(rng, page, name)


def absolute_names(rng: random.Random, page: bytes) -> bytes:
    names = ["{outside}/canary.png", "/{outside}/canary.png", "//{outside}/canary.png",
             "/etc/passwd", "/dev/zero", "/proc/self/mem", "~/x.png", "/", ".", "..", "\0", "%00",
             "%", "%zz", "a" * 5_000, "a/" * 3_000 + "x.png", "\ud800.png", "é.png", "%e9.png",
             "%ED%A0%80.png", "con", "*", "$HOME", "|id", "-rf"]  # fmt: skip
    return _sources(rng, page, lambda: rng.choice(names))


def schemes(rng: random.Random, page: bytes) -> bytes:
    return _sources(rng, page, lambda: rng.choice(_SCHEMES))


def other_base(rng: random.Random, page: bytes) -> bytes:
    bases = (*_SCHEMES, "../", "{outside}/", "/", "images/../../", "", "x" * 5_000, "../" * 50, "?",
             "#", "http://example.org/a/", "data:text/html,x")  # fmt: skip
    tags = "".join(f'<base href="{rng.choice(bases)}">' for _ in range(rng.randrange(1, 4)))
    return _encoded("<head>" + tags) + page


def source_sets(rng: random.Random, page: bytes) -> bytes:
    odd = ("good-003.jpg 1e400w", "good-003.jpg -5w", ", , ,", "good-003.jpg nanx", "a,b,c",
           "x 1w 2x", "({outside}/canary.png 1x", "../../canary.png 900w",
           "good-003.jpg " + "9" * 3_000 + "w",
           "data:image/png;base64,AAAA 2x", "good-003.jpg ٣w", "javascript:x 2x")  # fmt: skip
    count = rng.choice((1, 10, 20_000))
    value = ", ".join(rng.choice(odd[:8]) for _ in range(count)) + ", " + rng.choice(odd)
    name = rng.choice(("srcset", "data-srcset", "data-src", "src2", "data-original", "SRCSET"))
    return _sources(rng, page, lambda: rng.choice(("good-004.jpg", "blank.gif")),
                    f' {name}="{value}"')  # fmt: skip


def styles(rng: random.Random, page: bytes) -> bytes:
    odd = ("width:99999999999999px;", "height:-1px;", "width:NaNpx;", "width:1e9px;",
           "display:none;", "background:url(../../canary.png);", "width:٣px;", "width:" * 50_000,
           "height :0px", "/*" * 9_000, "width:" + " " * 60_000 + "px",
           "width:" + "9" * 90_000)  # fmt: skip
    style = "".join(rng.sample(odd, 3))
    side = rng.choice(("100%", "-1", "1", "9" * 400, "1e5", "٣", "0x10", " 5 px ", "5.5.5"))
    name = f"good-{rng.randrange(20):03d}.jpg"
    return _sources(rng, page, lambda: name, f' style="{style}" width="{side}" height="{side}"')


def many_images(rng: random.Random, page: bytes) -> bytes:
    count = rng.choice((300, 3_000, 20_000))
    kind = rng.randrange(3)
    names = ("good-005.jpg", "gone-%d.png", "%d.gif?%d")
    return page + b"".join(
        b"<p>words<img src='%s' alt='%d'>" % (names[kind].replace("%d", str(n)).encode(), n)
        for n in range(count)
    )


def many_large_images(rng: random.Random, page: bytes) -> bytes:
    """One file of 25 million pixels under many names: each of them is another image."""
    count = rng.choice((3, 30, 300))
    name = rng.choice(("within-limits.png", "scans-90.jpg", "deflated.tif", "endless-markers.jpg"))
    return page + b"".join(b"<p>words<img src='%s?%d'>" % (name.encode(), n) for n in range(count))


def data_urls(rng: random.Random, page: bytes) -> bytes:
    kinds = ("image/png", "image/svg+xml", "text/html", "IMAGE/PNG ;charset=x",
             "image/png;base64;base64", "image/gif;x=" + "y" * 500,
             "image/" + "z" * 3_000)  # fmt: skip

    def address() -> str:
        content = rng.choice(_contents())
        kind = rng.choice(kinds)
        if rng.random() < 0.2:
            inner = f"data:image/png;base64,{content[:50_000]}"
            content = base64.b64encode(f"<img src='{inner}'>".encode()).decode() * 3
        if rng.random() < 0.2:
            content = "%41" * 2_000 + rng.choice(("=", "%", "\ud800", " ", "\n")) * 1_000 + content
        return f"data:{kind}{rng.choice((';base64', '', ' ;BASE64 '))},{content}"

    return _sources(rng, page, address, most=8)


REFERENCES: Mapping[Mutation, int] = {
    hostile_files: 10, traversals: 10, absolute_names: 6, schemes: 6, other_base: 6, source_sets: 5,
    styles: 5, many_images: 2, many_large_images: 1, data_urls: 5,
}  # fmt: skip
"""How often each is taken."""


def with_good_images(rng: random.Random, page: bytes) -> bytes:
    """A page whose images are all there; it has three at least."""
    page = _SOURCE.sub(lambda found: found[1] + _good_name(rng), page)
    missing = 3 - page.count(b"<img")
    return page + b"".join(b"<p>More <img src=%s>" % _good_name(rng) for _ in range(missing))


def _good_name(rng: random.Random) -> bytes:
    return b'"/good-%03d.jpg"' % rng.randrange(NUM_GOOD)


def _sources(
    rng: random.Random, page: bytes, name: Callable[[], str], more: str = "", most: int = 40
) -> bytes:
    """Other names for some images of a page, at most so many; at least one at its end."""
    left = most
    share = rng.choice((0.1, 0.5, 1.0))

    def changed(found: re.Match[bytes]) -> bytes:
        nonlocal left
        if left <= 0 or rng.random() > share:
            return found.group()
        left -= 1
        return found[1] + b'"%s"' % _encoded(name()) + _encoded(more)

    page = _SOURCE.sub(changed, page)
    return page + b'<p>At the end <img src="%s"%s>' % (_encoded(name()), _encoded(more))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@cache
def _contents() -> tuple[str, ...]:
    files = (pictures.good(9), pictures.png_bomb(), pictures.bomb_within_limits(1),
             pictures.svg_bomb(), bytes(1_400_000), b"\0", b"<svg/>")  # fmt: skip
    return tuple(base64.b64encode(one).decode() for one in files)
