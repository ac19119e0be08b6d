"""Broken pages give a page or a DataError, nothing else; their paths stay in the folder."""

from __future__ import annotations

import posixpath

from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.data.collection.html import read_page
from flamingo.data.collection.html.tags import Profile
from flamingo.data.collection.pages import RawPage, TextNode
from flamingo.foundation.errors import DataError

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Ploughs — Site</title>
<base href="./"><link rel="license" href="a"><meta property="og:title" content="Ploughs"></head>
<body class="x"><nav><ul><li><a href="/">Home</a></li></ul></nav><header><h1>Ploughs</h1></header>
<main><p>One <b>two</b><br>three&nbsp;&eacute; <img src="a.jpg" srcset="b.jpg 2x, c.jpg 800w"
alt="&quot;A plough&quot;" width="300" style="height: 20px"></p><figure><figcaption>c</figcaption>
<picture><source srcset="d.webp 1x"><img data-src="../../e.png"></picture></figure><table><tr>
<td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table><pre>a\n b<br></pre><form><input>
</form><noscript><img src="f.jpg"></noscript><aside class="note">Note</aside></main>
<footer>(c)</footer><script>if (a < b) { c("</div>") }</script></body></html>"""
PIECES = (
    *PAGE.replace(">", ">\x1f").split("\x1f"),
    "<", ">", "</", "<!--", "-->", "<![CDATA[", '"', "'", "&#x110000;", "&#0;", "\ufeff", "\0",
    "<svg><title>", "<math><mi>", "<template>", "<select>", "<frameset>", "<plaintext>",
    "<img src='data:image/png;base64,", "<img src=javascript:x>", "<img src=%2e%2e/%2e%2e/x.png>",
    "<base href=https://[>", "<table><a>", "</p>", "</br>", "<p hidden", "\u202e", "\U000e0001",
)  # fmt: skip


def read(content: bytes, encoding: str | None, profile: Profile) -> None:
    try:
        page = read_page(RawPage("docs/page.html", content, encoding), profile)
    except DataError:
        return
    assert page.nodes
    for node in page.nodes:
        if isinstance(node, TextNode):
            assert node.text
            assert node.text == node.text.strip() or node.kind == "code"
            node.text.encode()
        elif "://" not in node.address and not node.address.startswith("data:"):
            inside = posixpath.normpath(posixpath.join("/folder", node.address))
            assert inside.startswith("/folder/")


profiles = st.sampled_from(["main", "obelics"])
encodings = st.sampled_from([None, "utf-8", "utf-16", "shift_jis", "nonsense"])


@settings(max_examples=60, deadline=2_000)
@given(st.data(), encodings, profiles)
def test_cut_and_spoilt_pages(data: st.DataObject, encoding: str, profile: Profile) -> None:
    content = bytearray(PAGE.encode())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content)))
        end = min(len(content), place + data.draw(st.integers(0, 40)))
        content[place:end] = data.draw(st.binary(max_size=12))
    read(bytes(content), encoding, profile)


@settings(max_examples=60, deadline=2_000)
@given(st.lists(st.sampled_from(PIECES), max_size=60), profiles)
def test_tags_in_any_order(pieces: list[str], profile: Profile) -> None:
    read("".join(pieces).encode(), None, profile)


@settings(max_examples=40, deadline=2_000)
@given(
    st.lists(
        st.tuples(st.sampled_from(PIECES), st.sampled_from(["utf-8", "utf-16-le", "cp1251"])),
        max_size=40,
    )
)
def test_mixed_encodings(pieces: list[tuple[str, str]]) -> None:
    read(b"".join(text.encode(encoding, "replace") for text, encoding in pieces), None, "main")


@settings(max_examples=40, deadline=2_000)
@given(st.binary(max_size=2_000), encodings, profiles)
def test_bytes_that_are_no_page(content: bytes, encoding: str | None, profile: Profile) -> None:
    read(content, encoding, profile)
