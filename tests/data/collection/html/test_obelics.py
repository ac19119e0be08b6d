"""The other profile: the DOM rules of OBELICS."""

from __future__ import annotations

import pytest

from tests.data.collection.html.pages_for_tests import outline, read, texts


@pytest.mark.parametrize(
    "part",
    [
        "<ul><li>Gone</ul>",
        "<table><tr><td>Gone</table>",
        "<pre>Gone</pre>",
        "<header>Gone</header><nav>Gone</nav><form>Gone</form><footer>Gone</footer>",
        "<my-tag>Gone</my-tag>",
        "<p class='footer small'>Gone</p><p class=site-info>Gone</p>",
        "<div id=navbar>Gone</div><div class=menu>Gone</div><div title=header>Gone</div>",
        "<div class=post-date>Gone</div>",
    ],
)
def test_this_goes(part: str) -> None:
    assert texts(part, "obelics") == []


@pytest.mark.parametrize(
    "part",
    [
        "<aside>Kept</aside>",
        "<div class=sidebar>Kept</div>",
        "<div class='menu wide'>Kept</div>",
        "<p hidden>Kept</p>",
        "<div class=post-date>Gone<p>Kept</p></div>",
    ],
)
def test_this_stays(part: str) -> None:
    assert texts(part, "obelics") == ["Kept"]


def test_link_lists_and_icons_stay() -> None:
    links = "".join(f"<p><a href={n}>Page {n}</a></p>" for n in range(4))
    assert len(texts(f"<div>{links}</div><img src=next.png alt=Next>", "obelics")) == 5


def test_the_first_attribute_with_an_address_counts() -> None:
    page = """<p>text</p><img src="a b.jpg" data-src=c.jpg><img srcset="d.jpg 2x" src2=e.jpg>
        <img data-lazy-src=f.jpg src=spacer.gif><figure><img src=g.jpg></figure>"""
    found = [image.address for image in read(page, "obelics").images]
    assert found == ["c.jpg", "e.jpg", "spacer.gif", "g.jpg"]


def test_titles_and_paragraphs_are_those_of_the_other_profile() -> None:
    page = "<title>A</title><h1>A</h1><p>b <i>c</i><br>d</p><figcaption>e</figcaption>"
    assert outline(page, "obelics") == outline(page)
