"""Pages that a parser would choke on are cut, real ones are not."""

from __future__ import annotations

import time

import pytest
from selectolax.lexbor import LexborHTMLParser

from flamingo.data.collection.html import read_page
from flamingo.data.collection.html.bounds import (
    MAX_BYTES,
    MAX_REOPENED,
    MAX_TAGS,
    within_bounds,
)
from flamingo.data.collection.html.walking import MAX_IMAGES
from flamingo.data.collection.pages import RawPage
from flamingo.foundation.errors import DataError

SECONDS = 5.0


def numbered(pattern: str, count: int) -> bytes:
    return "".join(pattern.format(number) for number in range(count)).encode()


@pytest.mark.parametrize(
    "html",
    [
        b"<p>x</p>" * 20_000,
        b"<ul><li>x</ul>" * 20_000,
        b"<b>x</b>" * 20_000,
        b"<b x=1><i><p>y</p></i></b>" * 10_000,
        b"<br>" * 50_000,
        b"<p>" + b"word " * 100_000 + b"</p>",
        b"<img src='data:image/png;base64," + b"A/=" * 100_000 + b"'>",
        b"<p title='" + b"a > b " * 20_000 + b"'>x",
        b"<table>" + b"<tr><td>x<td>y" * 20_000,
    ],
)
def test_long_pages_stay_whole(html: bytes) -> None:
    assert within_bounds(html) == html


def test_no_more_than_so_much_is_read() -> None:
    assert len(within_bounds(b"a" * (MAX_BYTES + 1))) == MAX_BYTES
    assert within_bounds(b"<p>x" * (MAX_TAGS + 5)) == b"<p>x" * MAX_TAGS


@pytest.mark.parametrize(
    "html",
    [
        numbered("<b x={}><p>", 20_000),
        numbered("<b x={}><p></q>", 20_000),
        numbered("<font a={}>", 5_000) + b"<p>x" * 5_000,
        numbered("</b><b x={}>", 100) + b"<i>" * 100 + b"<p>x" * 50_000,
    ],
)
def test_open_formatting_does_not_multiply(html: bytes) -> None:
    tree = LexborHTMLParser(within_bounds(html))
    num_nodes = sum(1 for _ in tree.root.traverse()) if tree.root is not None else 0
    assert num_nodes < 2 * MAX_REOPENED


@pytest.mark.parametrize(
    "html",
    [
        b"<div>" * 40_000 + b"x",
        b"<ul><li>" * 20_000 + b"x",
        b"<div></q>" * 40_000,
        b"<span>" * 40_000 + b"</q>" * 40_000,
        b"<table><tr><td>" * 15_000 + b"x",
        b"<figure><figcaption>a</figcaption>" * 10_000,
        b"<ul><li><a href=a>bcdef</a>" * 10_000,
        b"<p " + numbered("a{}=1 ", 40_000) + b">x",
        b"<a href='" * 300_000,
        b"<!--" * 300_000,
        b"<img srcset='a 1w, b 2w, c 3w'>" * 12_000,
        b"<img src='" + b"../" * 500_000 + b"a.png'>x",
        b"<base href='" + b"a/" * 500_000 + b"'><img src=../b.png>x",
        b"<p class='" + b"nav-x " * 300_000 + b"'>x",
    ],
)
def test_hostile_pages_take_seconds(html: bytes) -> None:
    start = time.process_time()
    try:
        page = read_page(RawPage("a.html", html))
    except DataError:
        pass
    else:
        assert len(page.images) <= MAX_IMAGES
    assert time.process_time() - start < SECONDS


ATTRIBUTES = numbered("a{0}={0} ", 30_000)


@pytest.mark.parametrize(
    "before",
    [
        b"<p>x</p><html ",
        b"<meta content='<b>'\"xx<html ",
        b'<!-- <a " --><html ',
        b"<title><i x='</title><html ",
        b"<script>'<b '</script><html ",
        b'<html x" ',
        b'<html x=y" ',
        b"<html q='\"' ",
    ],
)
def test_a_tag_with_too_many_attributes_is_found_behind_anything(before: bytes) -> None:
    for after in (b">tail", b">tail\"<p title='", b""):
        html = before + ATTRIBUTES + after
        assert len(within_bounds(html)) <= len(before)


@pytest.mark.parametrize("value", ['"{0}>"', "'>{0}'", '"<b>{0}"', "'\">{0}'"])
def test_attributes_are_counted_past_brackets_in_their_values(value: str) -> None:
    html = b"<p>x</p><html " + numbered("a{0}=" + value + " ", 30_000) + b">tail"
    assert len(within_bounds(html)) == len(b"<p>x</p>")


def test_a_script_and_long_paragraphs_are_no_tags() -> None:
    script = b"<script>if (a < b) { x = 'y' }" + b" let c = d; " * 10_000 + b"</script>"
    html = script + b"<p>" + b"some words and <b>more</b> of them " * 10_000
    assert within_bounds(html) == html
