"""What a page's markup tells to be no content goes; what only looks like it stays."""

from __future__ import annotations

import pytest

from tests.data.collection.html.pages_for_tests import outline, texts

LINKS = "".join(f"<a href=p{number}.html>Page number {number}</a> " for number in range(5))
ITEMS = LINKS.replace("<a", "<li><a")


@pytest.mark.parametrize(
    "part",
    [
        "<nav>Gone</nav>",
        "<footer>Gone</footer>",
        "<aside>Gone</aside>",
        "<div class=navheader><table><tr><td><a href=b><img src=p.jpg></a></table></div>",
        "<div class='site-footer dark'>Gone</div>",
        "<div class=siteFooter>Gone</div>",
        "<div id=cookie-notice>Gone</div>",
        "<div role=navigation>Gone</div>",
        "<div role=contentinfo>Gone</div>",
        "<ol class=breadcrumb><li>Gone</ol>",
        "<ol itemtype=https://schema.org/BreadcrumbList><li>Gone</ol>",
        "<div class=related-posts><h3>Gone</h3><a href=b><img src=a.jpg></a></div>",
        "<div class='comment even'>Gone</div><div id=comments>Gone</div>",
        "<div class=advertisement><img src=a.jpg></div>",
        "<div class=sidebar><p>Gone</div>",
        "<p hidden>Gone</p><p style='display: none'>Gone</p><p aria-hidden=true>Gone</p>",
        "<span class=sr-only>Gone</span><div class=hidden>Gone</div>",
        "<form><label>Gone</label><input value=Gone><p>Gone</form>",
        "<button>Gone</button><select><option>Gone</select><textarea>Gone</textarea>",
        "<script>Gone</script><style>Gone</style><template>Gone</template><svg><text>Gone</svg>",
        "<noscript>Gone</noscript><iframe>Gone</iframe><!-- Gone -->",
        f"<h3>Gone</h3><ul>{ITEMS}</ul>",
        f"<p>{LINKS.replace('> ', '> | ')}</p>",
        f"<table><tr><td>{LINKS}<td>{LINKS}</table>",
        "<a href=/><img src=brand.jpg></a>",
        "<a href=https://a.org/><img src=brand.jpg></a>",
        "<img class=avatar src=me.jpg>",
    ],
)
def test_this_goes(part: str) -> None:
    assert texts(f"<body>{part}") == []


@pytest.mark.parametrize(
    "part",
    [
        "<section id=sharing-a-file><p>Kept</section>",
        "<div id=related-work><p>Kept</div>",
        "<div class=has-sidebar><p>Kept</div>",
        "<div class=menu-container><p>Kept</div>",
        "<div class='hidden md:block'>Kept</div>",
        "<article class='category-social'><p>Kept</article>",
        "<div class=guimenu>Kept</div>",
        "<div class=contents><p>Kept</div>",
        "<p>Kept<a class=headerlink href=#x>¶</a></p>",
        "<p>Kept <span class=navigation>Gone</span>",
        "<details><summary>Kept</summary></details>",
    ],
)
def test_this_stays(part: str) -> None:
    assert texts(part) == ["Kept"]


def test_the_head_of_a_page_leaves_its_headings_only() -> None:
    head = "<h1>Ploughs</h1><p>Gone</p><img src=a.jpg>"
    for page in (f"<header>{head}</header>", f"<div id=header>{head}</div>"):
        assert outline(page) == [("title", "Ploughs")]
    assert texts(f"<article><header>{head}</header>") == ["Ploughs", "Gone", "a.jpg"]


def test_prose_beside_the_text_stays() -> None:
    prose = "It was found by a farmer who had gone out to look for his sheep. " * 4
    for part in (f"<aside>{prose}</aside>", f"<div class=sidebar>{prose}</div>"):
        assert texts(part) == [prose.strip()]
        assert texts(part.replace("farmer", "<a href=x>" + "farmer " * 30 + "</a>")) == []


def test_pictures_that_are_links_stay_with_their_captions() -> None:
    thumbnails = "".join(
        f"<figure><a href=p{n}><img src={n}.jpg></a><figcaption><a href=p{n}>Plough {n}</a>"
        "</figcaption></figure>"
        for n in range(4)
    )
    assert texts(f"<div>{thumbnails}</div>")[:3] == ["0.jpg", "Plough 0", "1.jpg"]


def test_text_with_links_is_no_menu() -> None:
    text = "A sentence about ploughs and the engines that pulled them, long ago: "
    text += "<a href=x>here</a>."
    assert len(texts(f"<ul><li>{text}<li>{text}<li>{text}</ul>")) == 3


def test_a_page_inside_of_a_form_stays() -> None:
    assert texts("<form><h1>Kept</h1><p>Short</form>") == ["Kept", "Short"]
    long = "Word after word. " * 40
    assert texts(f"<form><p>{long}</form>") == [long.strip()]
