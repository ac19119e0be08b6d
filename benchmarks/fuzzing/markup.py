"""Pages broken in their markup and in their bytes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from html.entities import html5

Mutation = Callable[[random.Random, bytes], bytes]
"""Makes a page of a page."""

_TAG = re.compile(rb"</?[a-zA-Z][^>]*>")
_NESTABLE = (
    "div", "b", "p", "a", "font", "table", "ul", "svg", "math", "template", "ruby", "select",
    "form", "nobr", "button", "object", "iframe", "noscript", "details", "h1", "figure",
    "blockquote", "applet", "marquee", "frameset", "colgroup", "title", "textarea",
)  # fmt: skip
_SPECIAL = (
    "script", "style", "plaintext", "xmp", "noscript", "textarea", "title", "template", "iframe",
    "noembed", "select", "option", "math", "svg", "foreignObject", "annotation-xml", "table",
    "caption", "frameset", "body", "html", "head",
)  # fmt: skip
_ENCODINGS = (
    "cp1252", "utf-16", "utf-7", "shift_jis", "euc_kr", "gb18030", "iso2022_jp", "koi8_r",
    "cp037", "utf-32", "big5", "hz", "utf-8-sig", "iso8859_8",
)  # fmt: skip
_TOLD = (
    "utf-8", "utf-16", "utf-7", "shift_jis", "x-user-defined", "hz-gb-2312", "replacement",
    "latin-1", "idna", "\0",
)  # fmt: skip
_LETTERS = ("\u202e", "\u200b", "\u0301" * 40, "\ufeff", "\U0001f468\u200d\U0001f469", "\u2028",
            "\x85", "\xa0", "\u3000", "\ufdd0", "\U0010ffff", "İ", "ß", "ﬁ")  # fmt: skip
_LONG = ("a", "a ", "! ", ". ", "\t", "\n", "(", "<", "&", "&#", "-", "=", "\\", "'\"", "{{",
         "http://", "€", "字", "\u0301", "1,", "A.B.", "@")  # fmt: skip


def truncated(rng: random.Random, page: bytes) -> bytes:
    return page[: rng.randrange(len(page) + 1)]


def cut_inside_a_tag(rng: random.Random, page: bytes) -> bytes:
    for _ in range(rng.randrange(1, 6)):
        tags = list(_TAG.finditer(page))
        if tags:
            tag = rng.choice(tags)
            page = page[: rng.randrange(tag.start() + 1, tag.end())] + page[tag.end() :]
    return page


def unbalanced(rng: random.Random, page: bytes) -> bytes:
    share = rng.random()
    return _TAG.sub(lambda tag: b"" if rng.random() < share else tag.group(), page)


def duplicated(rng: random.Random, page: bytes) -> bytes:
    return _TAG.sub(lambda tag: tag.group() * rng.choice((1, 1, 1, 2, 5, 40)), page)


def shuffled(rng: random.Random, page: bytes) -> bytes:
    parts = page.split(b"<")
    rng.shuffle(parts)
    return b"<".join(parts)


def exchanged_tags(rng: random.Random, page: bytes) -> bytes:
    names = [rng.choice(_NESTABLE + _SPECIAL).encode() for _ in range(40)]
    return re.sub(
        rb"(</?)(\w+)", lambda tag: tag[1] + (rng.choice(names) if rng.random() < 0.2 else tag[2]),
        page,
    )  # fmt: skip


def repeated(rng: random.Random, page: bytes) -> bytes:
    return page * (rng.choice((11_000_000, 16_000_000, 18_000_000)) // max(1, len(page)))


def nested(rng: random.Random, page: bytes) -> bytes:
    """Ten megabytes of nesting."""
    return _nest(rng, 10_000_000) + page


def nested_a_little(rng: random.Random, page: bytes) -> bytes:
    return _into(rng, page, _nest(rng, rng.choice((2_000, 20_000, 100_000))))


def formatting_left_open(rng: random.Random, page: bytes) -> bytes:
    """What a parser opens anew in each block that follows."""
    count = rng.choice((10, 300, 3_000, 30_000))
    tags = b"".join(b"<b id=%d><font color=%d>" % (n, n) for n in range(count))
    return _into(rng, page, tags + b"<p>text" * count)


def special_elements(rng: random.Random, page: bytes) -> bytes:
    for _ in range(rng.randrange(1, 8)):
        name = rng.choice(_SPECIAL)
        page = _into(rng, page, f"<{rng.choice(('', '/'))}{name}>".encode())
    return page


def comments(rng: random.Random, page: bytes) -> bytes:
    pieces = (b"<!--", b"-->", b"<!-->", b"<![CDATA[", b"]]>", b"<?php ", b"<!DOCTYPE ", b"<!",
              b"--!>", b"<!--[if IE]>", b"<?xml version='1.0' encoding='utf-16'?>")  # fmt: skip
    for _ in range(rng.randrange(1, 6)):
        page = _into(rng, page, rng.choice(pieces) * rng.choice((1, 1, 100, 10_000)))
    return page


def entities(rng: random.Random, page: bytes) -> bytes:
    odd = ["&#0;", "&#xD800;", "&#x110000;", "&#" + "9" * 5_000 + ";", "&#x;", "&#;", "&",
           "&amp;lt;", "&notit;", "&#128;", "&#xFDD0;", "&#13;", "&#x1F600", "&lt;img src=x&gt;",
           "&#xFEFF;", "&" + "a" * 3_000, "&NotEqualTilde;&#x202E;"]  # fmt: skip
    odd += [f"&{name}" for name in rng.sample(sorted(html5), 200)]
    text = "".join(rng.choice(odd) for _ in range(rng.choice((10, 1_000, 50_000))))
    return _into(rng, page, text.encode())


def attributes(rng: random.Random, page: bytes) -> bytes:
    count = rng.choice((100, 5_000, 100_000))
    kind = rng.randrange(5)
    if kind == 0:
        inside = b" ".join(b"a%d=%d" % (n, n) for n in range(count))
    elif kind == 1:
        inside = b"class='" + b"nav menu " * count + b"'"
    elif kind == 2:
        inside = b'id="' + b"x" * 10 * count
    elif kind == 3:
        inside = b"a=" * count + b"'\"" * rng.randrange(9)
    else:
        inside = b"/" * count + b"onload=alert(1) alt='" + b"w " * count + b"'"
    return _into(rng, page, b"<" + rng.choice((b"div ", b"img src=good-001.jpg ", b"a href=x ",
                                               b"html ", b"body ")) + inside + b">")  # fmt: skip


def tables(rng: random.Random, page: bytes) -> bytes:
    kind = rng.randrange(4)
    if kind == 0:
        row = b"<td colspan=99999999 rowspan=-1>a<td rowspan=99999999 colspan=NaN>b"
        table = b"<table>" + (b"<tr>" + row * 10) * 50
    elif kind == 1:
        table = b"<table>" + (b"<tr>" + b"<td>x" * 300) * 300
    elif kind == 2:
        table = b"<table><tr><td>" * rng.choice((20, 500, 3_000))
    else:
        table = b"<table><caption>" * 200 + b"<tr><th><img src=good-002.jpg>" * 200
    return _into(rng, page, table)


def long_texts(rng: random.Random, page: bytes) -> bytes:
    text = rng.choice(_LONG) * rng.choice((1_000, 50_000, 1_000_000))
    return _into(rng, page, f"<p>{text}</p>".encode())


def odd_letters(rng: random.Random, page: bytes) -> bytes:
    letters = [letter.encode() for letter in _LETTERS]
    return re.sub(rb" ", lambda _: rng.choice(letters) if rng.random() < 0.3 else b" ", page)


def heads(rng: random.Random, page: bytes) -> bytes:
    odd = "\u202e\ud83d&#xD800;<b>'\"" + "x" * 3_000
    metas = "".join(
        f"<meta name='{name}' content='{odd}'><meta property='og:title' content='{odd}'>"
        f"<meta http-equiv=content-language content='{odd}'><title>{odd}</title>"
        f"<link rel='license' href='{odd}'>"
        for name in ("dc.rights", "license", "language", "dc.title")
    )
    count = rng.choice((1, 100))
    return b"<html lang='%s'><head>" % odd[:9].encode("utf-8", "surrogatepass") + (
        metas.encode("utf-8", "surrogatepass") * count + page
    )


def random_bytes(rng: random.Random, page: bytes) -> bytes:
    changed = bytearray(page)
    for _ in range(rng.choice((1, 30, 3_000))):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def noise(rng: random.Random, page: bytes) -> bytes:
    start = rng.choice((b"", b"<html>", b"%PDF-", b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff", b"\x1b$B"))
    return start + rng.randbytes(rng.choice((0, 1, 3, 1_000, 100_000)))


def zeros(rng: random.Random, page: bytes) -> bytes:
    for _ in range(rng.randrange(1, 30)):
        page = _into(rng, page, bytes(rng.choice((1, 1, 7, 5_000))))
    return page


def other_encodings(rng: random.Random, page: bytes) -> bytes:
    """In one encoding, said to be in another, with the second half in a third maybe."""
    told = f"<meta charset='{rng.choice(_TOLD)}'>".encode()
    text = (told + page).decode("utf-8", "replace")
    half = rng.choice((len(text), len(text) // 2))
    return text[:half].encode(rng.choice(_ENCODINGS), "replace") + text[half:].encode(
        rng.choice(_ENCODINGS), "replace"
    )


def wide_without_mark(rng: random.Random, page: bytes) -> bytes:
    name = rng.choice(("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"))
    wide = page.decode("utf-8", "replace").encode(name)
    return wide[rng.choice((0, 0, 1)) :]


def surrogates(rng: random.Random, page: bytes) -> bytes:
    """Halves of characters, and characters written longer than they may be."""
    odd = (b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xc0\xaf", b"\xf8\x88\x80\x80\x80",
           b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xff\xfe", b"&#xDFFF;&#55357;")  # fmt: skip
    for _ in range(rng.randrange(1, 60)):
        page = _into(rng, page, rng.choice(odd))
    if rng.random() < 0.2:
        wide = page.decode("utf-8", "replace").encode("utf-16")
        return wide[:200] + b"\x00\xd8" * 50 + wide[200:]
    return page


MARKUP: Mapping[Mutation, int] = {
    truncated: 8, cut_inside_a_tag: 8, unbalanced: 8, duplicated: 6, shuffled: 8,
    exchanged_tags: 8, nested_a_little: 4, formatting_left_open: 4, special_elements: 8,
    comments: 6, entities: 5, attributes: 5, tables: 4, long_texts: 5, odd_letters: 5, heads: 4,
    random_bytes: 8, noise: 2, zeros: 4, other_encodings: 8, wide_without_mark: 4, surrogates: 6,
}  # fmt: skip
"""How often each is taken."""
HUGE: tuple[Mutation, ...] = (nested, repeated)
"""Pages of ten megabytes and more."""


def _nest(rng: random.Random, num_bytes: int) -> bytes:
    names = rng.sample(_NESTABLE, rng.choice((1, 1, 2, 5)))
    opened = "".join(f"<{name}>" for name in names).encode()
    return opened * (num_bytes // len(opened))


def _into(rng: random.Random, page: bytes, piece: bytes) -> bytes:
    """At the beginning of a tag mostly, where a parser reads it as such."""
    place = rng.randrange(len(page) + 1)
    if rng.random() < 0.8:
        place = max(0, page.find(b"<", place))
    return page[:place] + piece + page[place:]
