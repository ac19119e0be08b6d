"""Pages become texts and images in the order of the document."""

from __future__ import annotations

import pytest

from flamingo.data.collection.html import read_page
from flamingo.data.collection.pages import ImageNode, RawPage
from flamingo.foundation.errors import DataError
from tests.data.collection.html.pages_for_tests import PROSE, outline, read, texts

PHOTO = "data:image/png;base64," + "A" * 500


def test_kinds_and_order() -> None:
    page = """<title>Ploughs</title><h1>Ploughs</h1><p>One <b>tw</b>o&amp;three
        <img src=a.jpg alt="A plough"> and four.</p><h2>Parts ¶</h2>
        <ul><li>A share<li><p>A beam</p></ul><dl><dt>Rope<dd>Of steel</dl>
        <pre>\n  a = 1\n\n  b = 2\n</pre>
        <figure><img src=b.jpg><figcaption>In the <i>field</i></figcaption></figure>"""
    assert outline(page) == [
        ("title", "Ploughs"),
        ("paragraph", "One two&three"),
        ("image", "a.jpg"),
        ("paragraph", "and four."),
        ("heading", "Parts"),
        ("item", "A share"),
        ("item", "A beam"),
        ("item", "Rope"),
        ("item", "Of steel"),
        ("code", "  a = 1\n\n  b = 2"),
        ("image", "b.jpg"),
        ("caption", "In the field"),
    ]


def test_what_an_image_brings_along() -> None:
    page = read(f'<p>{PROSE}<img src=a.jpg alt=" A \n plough" width=300 style="height:90px">')
    assert page.images == (ImageNode("a.jpg", "A plough", 300, 90),)


def test_text_around_inline_tags_grows_together_and_around_blocks_does_not() -> None:
    assert texts("<div>re<span>ad</span>ing<div>a</div>b<p>c</div>d") == [
        "reading",
        "a",
        "b",
        "c",
        "d",
    ]
    assert texts("<p>a<br>b<br><br>c") == ["a\nb", "c"]


@pytest.mark.parametrize(
    "captioned",
    [
        "<figure><figcaption>Above</figcaption><img src=a.jpg></figure>",
        "<figure><figcaption><p>Above</p></figcaption><a href=b><img src=a.jpg></a></figure>",
        "<div><img src=a.jpg><p class=wp-caption-text>Above</p></div>",
        "<div><img src=a.jpg><div class=caption><p>Above</p></div></div>",
    ],
)
def test_a_caption_follows_its_image(captioned: str) -> None:
    assert outline(captioned) == [("image", "a.jpg"), ("caption", "Above")]


def test_a_figure_with_text_keeps_its_order() -> None:
    figure = "<figure><figcaption>A</figcaption><p>b</p><img src=a.jpg></figure>"
    assert texts(figure) == ["A", "b", "a.jpg"]


def test_tables_of_data_are_rows_and_others_are_blocks() -> None:
    data = "<table><caption>Two</caption><tr><th>a<th>b<tr><td>1<br>2<td><p>3</p></table>"
    assert outline(data) == [("caption", "Two"), ("table", "a | b\n1 2 | 3")]
    layout = "<table><tr><td><img src=a.jpg><td>b<tr><td>c<td><ul><li>d</ul></table>"
    assert outline(layout) == [
        ("image", "a.jpg"),
        ("paragraph", "b"),
        ("paragraph", "c"),
        ("item", "d"),
    ]
    assert outline("<table><tr><td>a<td>b</table>") == [("paragraph", "a"), ("paragraph", "b")]


@pytest.mark.parametrize(
    ("image", "address"),
    [
        ("<picture><source srcset='l.webp 800w'><img src=s.jpg></picture>", "s.jpg"),
        ("<picture><source data-srcset='l.webp 800w'><img alt=x></picture>", "l.webp"),
        ("<img src=spacer.gif data-src=a.jpg><noscript><img src=b.jpg></noscript>", "a.jpg"),
        ("<img class=lazy><noscript>No scripts?<img src=b.jpg></noscript>", "b.jpg"),
        ("<a href=large.jpg><img src=a.jpg></a>", "a.jpg"),
        (f"<img src='{PHOTO}'>", PHOTO),
        ("<pre>x <img src=a.jpg></pre>", "a.jpg"),
    ],
)
def test_images_are_found_where_pages_put_them(image: str, address: str) -> None:
    page = read(f"<p>{PROSE}</p>{image}")
    assert [found.address for found in page.images] == [address]
    assert "No scripts" not in str(page.texts)


@pytest.mark.parametrize(
    ("head", "body", "title", "first_kind"),
    [
        ("<title>Ploughs - Site</title>", "<h1>Ploughs</h1>", "Ploughs", "title"),
        ("<title>Ploughs - Site</title>", "<h1>Site</h1><h1>Ploughs</h1>", "Site", "title"),
        ("<title>Ploughs</title>", "<h3>Ploughs</h3>", "Ploughs", "title"),
        ("<title>Ploughs</title>", "<h2>Others</h2>", "Ploughs", "heading"),
        ("<title>Site</title><meta property=og:title content=Ploughs>", "", "Ploughs", None),
        ("", "<h1>Ploughs</h1>", "Ploughs", "title"),
        ("", "", "", None),
    ],
)
def test_titles(head: str, body: str, title: str, first_kind: str | None) -> None:
    page = read(f"<html><head>{head}</head><body>{body}<p>{PROSE}")
    assert page.title == title
    assert page.texts[0].kind == (first_kind or "paragraph")
    assert sum(text.kind == "title" for text in page.texts) <= 1


def test_only_the_main_part_is_kept_if_a_page_marks_it() -> None:
    beside = "<h1>Ploughs</h1><p>Welcome to our shop.</p>"
    for tag in ("<main>", "<article>", "<div role=main>"):
        assert texts(f"{beside}{tag}<p>{PROSE}</p>") == ["Ploughs"]
    assert "Welcome to our shop." in texts(f"{beside}<main><p>Short.</main>")


def test_address_date_language_and_license_are_kept() -> None:
    html = (
        "<html lang=en-GB><head><base href=/d/><link rel=license href=https://c.org/by></head>"
        f"<p>{PROSE}<img src=a.jpg>"
    )
    page = read_page(RawPage("https://a.org/x", html.encode(), date="2021-05-01"))
    assert (page.address, page.date) == ("https://a.org/x", "2021-05-01")
    assert (page.language, page.license) == ("en", "https://c.org/by")
    assert page.images[0].address == "https://a.org/d/a.jpg"
    moved = read_page(RawPage("saved.html", html.encode(), base="https://b.org/"))
    assert moved.images[0].address == "https://b.org/d/a.jpg"


def test_tags_that_xhtml_closes_at_once_do_not_swallow_the_page() -> None:
    assert "After" in texts(f"<iframe src=x/><h2>After</h2><p>{PROSE}</p>")
    assert "After" in texts(f"<a href=b id=x/><h2>After</h2><p>{PROSE}</p>")


def test_names_that_mislead_do_not_leave_a_page_empty() -> None:
    page = read(f"<div class=nav-and-text><h2>Here</h2><p>{PROSE}</p></div>")
    assert [text.text for text in page.texts] == ["Here", PROSE.strip()]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b"<html><body><nav>Home</nav><script>x</script></body></html>",
        b"%PDF-1.5 text",
        b"\x89PNG\r\n\x1a\n text",
        b"<frameset><frame src=a></frameset>",
        b"\0" * 100,
    ],
)
def test_where_there_is_nothing_to_read_it_says_so(content: bytes) -> None:
    with pytest.raises(DataError, match=r"nothing to read in a\.html"):
        read_page(RawPage("a.html", content))
